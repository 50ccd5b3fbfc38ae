import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class ZonesOfRope(Task):
    """A rope between two corners of a zone."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "lay the rope across the zone"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        zone_pose = self.get_random_pose(env, (0.12, 0.12, 0))
        env.add_object('zone/zone.urdf', zone_pose, 'fixed', color=utils.COLORS['yellow'])
        corners = [utils.apply(zone_pose, (s * 0.14, 0, 0.01)) for s in (-1, 1)]
        objs, targs, matches = self.make_ropes(env, corners)
        self.add_goal(objs=objs, matches=matches, targ_poses=targs, replace=False, rotations=False, metric='pose', params=None, step_max_reward=1, language_goal=self.lang_template)
