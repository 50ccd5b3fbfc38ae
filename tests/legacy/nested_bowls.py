import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class NestedBowls(Task):
    """Bowl, container and zone at one pose."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "put the block in the bowl in the zone"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        zone_pose = self.get_random_pose(env, (0.2, 0.2, 0))
        env.add_object('zone/zone.urdf', zone_pose, 'fixed', color=utils.COLORS['blue'])
        env.add_object('bowl/bowl.urdf', zone_pose, 'fixed', color=utils.COLORS['red'])
        block = env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS['yellow'])
        self.add_goal(objs=[block], matches=np.ones((1, 1)), targ_poses=[zone_pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, language_goal='put the yellow block in the red bowl')
