import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class MoveLoaded(Task):
    """A container that is moved after it was loaded."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "put the ball in the bowl and the bowl on the zone"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        zone_pose = self.get_random_pose(env, (0.12, 0.12, 0))
        env.add_object('zone/zone.urdf', zone_pose, 'fixed')
        bowl_pose = self.get_random_pose(env, (0.12, 0.12, 0))
        bowl = env.add_object('bowl/bowl.urdf', bowl_pose, color=utils.COLORS['red'])
        ball = env.add_object('ball/ball-template.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS['blue'])
        self.add_goal(objs=[ball], matches=np.ones((1, 1)), targ_poses=[bowl_pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, language_goal='put the blue ball in the red bowl')
        self.add_goal(objs=[bowl], matches=np.ones((1, 1)), targ_poses=[zone_pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, language_goal='put the red bowl on the green zone')
