import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class WorldSquare(Task):
    """Blocks at constant places of the table."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "put the blocks at the corners of a square"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        spots = [(0.4, -0.2), (0.4, 0.2), (0.6, -0.2), (0.6, 0.2)]
        blocks = []
        targs = []
        for x, y in spots:
            blocks.append(env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS['blue']))
            targs.append(((x, y, 0.02), (0, 0, 0, 1)))
        self.add_goal(objs=blocks, matches=np.ones((4, 4)), targ_poses=targs, replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, symmetries=[np.pi / 2] * 4, language_goal=self.lang_template)
