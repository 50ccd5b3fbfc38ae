import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class ArchOnZone(Task):
    """Half over an edge."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "set the arch"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        zone_pose = self.get_random_pose(env, (0.12, 0.12, 0))
        env.add_object('zone/zone.urdf', zone_pose, 'fixed', color=utils.COLORS['gray'])
        legs = [env.add_object('box/box-template.urdf', self.get_random_pose(env, (0.03, 0.03, 0.06)), color=utils.COLORS['red']) for _ in range(2)]
        top = env.add_object('box/box-template.urdf', self.get_random_pose(env, (0.12, 0.03, 0.03)), color=utils.COLORS['blue'])
        self.add_goal(objs=legs, matches=np.ones((2, 2)), targ_poses=[(utils.apply(zone_pose, (x, 0, 0.03)), zone_pose[1]) for x in (-0.04, 0.04)], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, language_goal='put the red boxes in the gray zone')
        self.add_goal(objs=[top], matches=np.ones((1, 1)), targ_poses=[(utils.apply(zone_pose, (0, 0, 0.03)), zone_pose[1])], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, language_goal='put the blue box on the red boxes')
