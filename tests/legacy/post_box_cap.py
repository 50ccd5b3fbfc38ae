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

class PostBoxCap(Task):
    """A post on the zone and a flat box as cap."""

    def __init__(self):
        super().__init__()
        self.max_steps = 4
        self.lang_template = "stand the blue cylinder on the green zone and cap it with the yellow box"
        self.task_completed_desc = "capped."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        zone_size = (0.12, 0.12, 0)
        zone_pose = self.get_random_pose(env, zone_size)
        env.add_object('zone/zone.urdf', zone_pose, 'fixed')
        cyl_size = (0.05, 0.05, 0.06)
        cyl_template = 'cylinder/cylinder-template.urdf'
        cyl_urdf = self.fill_template(cyl_template, {'DIM': (cyl_size[0] / 2, cyl_size[1] / 2, cyl_size[2])})
        cyl_pose = self.get_random_pose(env, cyl_size)
        cyl = env.add_object(cyl_urdf, cyl_pose, color=utils.COLORS['blue'])
        cap_size = (0.07, 0.07, 0.015)
        cap_urdf = self.fill_template('box/box-template.urdf', {'DIM': cap_size})
        cap = env.add_object(cap_urdf, self.get_random_pose(env, cap_size), color=utils.COLORS['yellow'])
        self.add_goal(objs=[cyl], matches=np.ones((1, 1)), targ_poses=[zone_pose], replace=False, rotations=True,
                      metric='pose', params=None, step_max_reward=0.5, language_goal=self.lang_template)
        cap_pose = (utils.apply(zone_pose, (0, 0, cyl_size[2] + cap_size[2] / 2)), zone_pose[1])
        self.add_goal(objs=[cap], matches=np.ones((1, 1)), targ_poses=[cap_pose], replace=False, rotations=True,
                      metric='pose', params=None, step_max_reward=0.5, language_goal=self.lang_template)
