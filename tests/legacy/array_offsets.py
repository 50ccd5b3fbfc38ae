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

class ArrayOffsets(Task):
    """Positions as arrays."""

    def __init__(self):
        super().__init__()
        self.max_steps = 10
        self.lang_template = "make a row of the {n} cylinders to the right of the red block"
        self.task_completed_desc = "row."
        self.n = 3
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        red_pose = self.get_random_pose(env, (0.04, 0.04, 0.04))
        env.add_object('block/block.urdf', red_pose, 'fixed', color=utils.COLORS['red'])
        objs, targs = [], []
        for i in range(self.n):
            urdf = self.fill_template('cylinder/cylinder-template.urdf', {'DIM': (0.02, 0.02, 0.04), 'HALF': (0.01, 0.01, 0.02)})
            o = env.add_object(urdf, self.get_random_pose(env, [0.04, 0.04, 0.04]))
            env.set_color(o, utils.COLORS['blue'])
            objs.append(o)
            position = np.array(red_pose[0]) + np.array([0, (i + 1) * 0.06, 0])
            targs.append((position, red_pose[1]))
        self.add_goal(objs=objs, matches=np.ones((self.n, self.n)), targ_poses=targs, replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, symmetries=None, language_goal=self.lang_template.format(n=self.n))
        print("added", len(objs))
