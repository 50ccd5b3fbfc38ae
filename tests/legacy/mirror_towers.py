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

class MirrorTowers(Task):
    """Two towers that mirror each other."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "build two equal towers on the stands, {} at the bottom, then {}, then {}"
        self.task_completed_desc = "done building."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        stand_size = (0.05, 0.15, 0.005)
        stand_poses = []
        for _ in range(2):
            sp = self.get_random_pose(env, stand_size)
            env.add_object('stacking/stand.urdf', sp, category='fixed')
            stand_poses.append(sp)
        order = ['green', 'white', 'purple']
        layers = []
        for c in order:
            pair = []
            for k in range(2):
                bp = self.get_random_pose(env, (0.04, 0.04, 0.04))
                pair.append(env.add_object('stacking/block.urdf', bp, color=utils.COLORS[c]))
            layers.append(pair)
        for n, pair in enumerate(layers):
            z = 0.02 + n * 0.04
            targs = [(utils.apply(sp, (0, 0, z)), sp[1]) for sp in stand_poses]
            self.add_goal(objs=pair, matches=np.ones((2, 2)), targ_poses=targs, replace=False, rotations=True,
                          metric='pose', params=None, step_max_reward=1 / 3, symmetries=[np.pi / 2, np.pi / 2],
                          language_goal=self.lang_template.format(*order))
