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

class BowlsOnZonesThenBalls(Task):
    """Bowls go on zones, then balls into bowls."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "first put the {0} bowl on the zone, then the {1} ball in it"
        self.task_completed_desc = "nested."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        pairs = [('yellow', 'red'), ('purple', 'blue')]
        for bowl_color, ball_color in pairs:
            zone_pose = self.get_random_pose(env, (0.12, 0.12, 0))
            env.add_object('zone/zone.urdf', zone_pose, 'fixed')
            bowl = env.add_object('bowl/bowl.urdf', self.get_random_pose(env, (0.12, 0.12, 0)), color=utils.COLORS[bowl_color])
            ball = env.add_object('ball/ball-template.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS[ball_color])
            text = self.lang_template.format(bowl_color, ball_color)
            self.add_goal(objs=[bowl], matches=np.ones((1, 1)), targ_poses=[zone_pose], replace=False, rotations=True, metric='pose',
                          params=None, step_max_reward=0.25, language_goal=text)
            self.add_goal(objs=[ball], matches=np.ones((1, 1)), targ_poses=[zone_pose], replace=False, rotations=True, metric='pose',
                          params=None, step_max_reward=0.25, language_goal=text)
