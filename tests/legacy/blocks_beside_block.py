import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class BlocksBesideBlock(Task):
    """World offsets from a block."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "put the blue block next to the red block"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        red_pose = self.get_random_pose(env, (0.04, 0.04, 0.04))
        env.add_object('block/block.urdf', red_pose, color=utils.COLORS['red'])
        blue = env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS['blue'])
        targ = ((red_pose[0][0] + 0.05, red_pose[0][1], red_pose[0][2]), red_pose[1])
        self.add_goal(objs=[blue], matches=np.ones((1, 1)), targ_poses=[targ], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, language_goal=self.lang_template)
