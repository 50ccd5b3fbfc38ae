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

class RopeToCorners(Task):
    """A rope from corner to corner."""

    def __init__(self):
        super().__init__()
        self.max_steps = 20
        self.lang_template = "lay the rope from one corner to the other"
        self.task_completed_desc = "connected."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        length = 2 * 0.005 * 20 * 1.4
        base = self.get_random_pose(env, (length, length, 0.01))
        ends = [(utils.apply(base, (0, 0, 0)), base[1]), (utils.apply(base, (length, 0, 0)), base[1])]
        for e in ends:
            self.add_corner_anchor_for_pose(env, e)
        objs, targs, matches = self.make_ropes(env, (ends[0][0], ends[1][0]), color_name='blue')
        self.add_goal(objs=objs, matches=matches, targ_poses=targs, replace=False, rotations=False, metric='pose', params=None,
                      step_max_reward=1, language_goal=self.lang_template)
