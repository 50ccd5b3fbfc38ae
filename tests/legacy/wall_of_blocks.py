import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class WallOfBlocks(Task):
    """A wall of two rows at a world place."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "build a wall of red and blue blocks"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        objs, targs = [], []
        for row in range(2):
            for k in range(3):
                objs.append(env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS['red' if row == 0 else 'blue']))
                targs.append(((0.5, -0.045 + 0.045 * k, 0.02 + 0.04 * row), (0, 0, 0, 1)))
        for row in range(2):
            self.add_goal(objs=objs[3 * row:3 * row + 3], matches=np.ones((3, 3)), targ_poses=targs[3 * row:3 * row + 3], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, symmetries=[np.pi / 2] * 3, language_goal='put the three ' + ('red' if row == 0 else 'blue') + ' blocks side by side')
