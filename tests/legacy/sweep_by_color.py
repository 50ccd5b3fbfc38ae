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

class SweepByColor(Task):
    """Sweep crumbs of a random colour into the square."""

    def __init__(self):
        super().__init__()
        self.max_steps = 20
        self.lang_template = "push the pile of {} crumbs into the green square"
        self.task_completed_desc = "swept."
        self.num_blocks = 30
        self.primitive = primitives.push
        self.ee = Spatula
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        zone_size = (0.12, 0.12, 0)
        zone_pose = self.get_random_pose(env, zone_size)
        env.add_object('zone/zone.urdf', zone_pose, 'fixed')
        colors, names = utils.get_colors(mode=self.mode, n_colors=1)
        crumbs = self.make_piles(env, block_color=names[0])
        self.add_goal(objs=crumbs, matches=np.ones((30, 1)), targ_poses=[zone_pose], replace=True, rotations=False,
                      metric='zone', params=[(zone_pose, zone_size)], step_max_reward=1, language_goal=self.lang_template.format(names[0]))
