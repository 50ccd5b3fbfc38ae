import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class OldPlace(Task):
    """A block on a box that has moved."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "put the red box in the zone, then the blue block on it"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        zone_pose = self.get_random_pose(env, (0.12, 0.12, 0))
        env.add_object('zone/zone.urdf', zone_pose, 'fixed', color=utils.COLORS['yellow'])
        box_size = (0.08, 0.08, 0.04)
        box_pose = self.get_random_pose(env, box_size)
        box = env.add_object(self.fill_template('box/box-template.urdf', {'DIM': box_size}), box_pose, color=utils.COLORS['red'])
        block = env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS['blue'])
        self.add_goal(objs=[box], matches=np.ones((1, 1)), targ_poses=[zone_pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, language_goal='put the red box in the yellow zone')
        self.add_goal(objs=[block], matches=np.ones((1, 1)), targ_poses=[box_pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, language_goal='put the blue block on the red box')
