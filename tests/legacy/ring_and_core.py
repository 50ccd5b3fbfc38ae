import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils
import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils

class RingAndCore(Task):
    """A ring of blocks around a central one."""

    def __init__(self):
        super().__init__()
        self.max_steps = 14
        self.lang_template = "surround the yellow cylinder with {n} blue blocks in a circle"
        self.task_completed_desc = "ring complete."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        n = 6
        core_size = (0.04, 0.04, 0.04)
        core_pose = self.get_random_pose(env, (0.24, 0.24, 0.04))
        core = env.add_object('cylinder/cylinder-template.urdf', core_pose, 'fixed', utils.COLORS['yellow'])
        blocks = [env.add_object('block/block.urdf', self.get_random_pose(env, core_size), color=utils.COLORS['blue']) for _ in range(n)]
        angles = np.linspace(0, 2 * np.pi, n + 1)[:-1]
        targs = []
        for a in angles:
            off = (0.1 * np.cos(a), 0.1 * np.sin(a), 0)
            targs.append((utils.apply(core_pose, off), utils.eulerXYZ_to_quatXYZW((0, 0, a))))
        self.add_goal(objs=blocks, matches=np.ones((n, n)), targ_poses=targs, replace=False, rotations=True, metric='pose',
                      params=None, step_max_reward=1, symmetries=[np.pi/2] * n, language_goal=self.lang_template.format(n=n))
