import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class MoreTargetsThanColumns(Task):
    """Targets beyond the columns of matches."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "put the block on a pallet"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        poses = [self.get_random_pose(env, (0.3, 0.25, 0.04)) for _ in range(2)]
        for pose in poses:
            env.add_object('pallet/pallet.urdf', pose, 'fixed')
        block = env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS['violet'])
        self.add_goal(objs=[block], matches=np.ones((1, 1)), targ_poses=poses, replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, language_goal=self.lang_template)
