import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class SquareOfBlocks(Task):
    """Four blocks at a square."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "fill the green square with blocks"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        side = 0.2
        pose = self.get_random_pose(env, (side, side, 0))
        env.add_object(self.fill_template('square/square-template.urdf', {'DIM': (side,), 'HALF': (side / 2 - 0.005,)}), pose, 'fixed')
        for i in range(4):
            block = env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS['red'])
            x, y = 0.05 * (2 * (i % 2) - 1), 0.05 * (2 * (i // 2) - 1)
            self.add_goal(objs=[block], matches=np.ones((1, 1)), targ_poses=[(utils.apply(pose, (x, y, 0.02)), pose[1])], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.25, language_goal=self.lang_template)
