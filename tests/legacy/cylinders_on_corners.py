import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class CylindersOnCorners(Task):
    """Cylinders on corners of a zone by offsets."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "place the cylinders at the four corners of the zone"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        zone_pose = self.get_random_pose(env, (0.2, 0.2, 0))
        env.add_object('zone/zone.urdf', zone_pose, 'fixed', color=utils.COLORS['yellow'])
        cyls, targs = [], []
        for x in (-0.05, 0.05):
            for y in (-0.05, 0.05):
                cyls.append(env.add_object(self.fill_template('cylinder/cylinder-template.urdf', {'DIM': (0.02, 0.02, 0.04)}), self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS['red']))
                targs.append((utils.apply(zone_pose, (x, y, 0)), zone_pose[1]))
        self.add_goal(objs=cyls, matches=np.ones((4, 4)), targ_poses=targs, replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, language_goal=self.lang_template)
