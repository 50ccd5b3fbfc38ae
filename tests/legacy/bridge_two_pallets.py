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

class BridgeTwoPallets(Task):
    """A plank over two pallets is no good; boxes in a row on one."""

    def __init__(self):
        super().__init__()
        self.max_steps = 8
        self.lang_template = "put the long box across the two small boxes"
        self.task_completed_desc = "bridge done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        small = (0.05, 0.05, 0.05)
        small_urdf = self.fill_template('box/box-template.urdf', {'DIM': small})
        posts = []
        for c in ('red', 'red'):
            posts.append(env.add_object(small_urdf, self.get_random_pose(env, small), color=utils.COLORS[c]))
        plank_size = (0.05, 0.2, 0.02)
        plank_urdf = self.fill_template('box/box-template.urdf', {'DIM': plank_size})
        plank = env.add_object(plank_urdf, self.get_random_pose(env, plank_size), color=utils.COLORS['cyan'])
        site = self.get_random_pose(env, (0.1, 0.25, 0.1))
        ends = [(utils.apply(site, (0, y, 0)), site[1]) for y in (-0.07, 0.07)]
        self.add_goal(objs=posts, matches=np.ones((2, 2)), targ_poses=ends, replace=False, rotations=True, metric='pose',
                      params=None, step_max_reward=0.6, symmetries=[np.pi / 2] * 2, language_goal="stand the two red boxes apart as posts")
        top = (utils.apply(site, (0, 0, 0.06)), site[1])
        self.add_goal(objs=[plank], matches=np.ones((1, 1)), targ_poses=[top], replace=False, rotations=True, metric='pose',
                      params=None, step_max_reward=0.4, symmetries=[np.pi], language_goal="lay the cyan box across the posts")
