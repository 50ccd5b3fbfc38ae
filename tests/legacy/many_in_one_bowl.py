import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class ManyInOneBowl(Task):
    """All balls into one bowl."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "put all the balls into the bowl"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        bowl_pose = self.get_random_pose(env, (0.12, 0.12, 0))
        env.add_object('bowl/bowl.urdf', bowl_pose, 'fixed')
        balls = []
        for c in ['red', 'blue', 'yellow']:
            balls.append(env.add_object('ball/ball-template.urdf', self.get_random_pose(env, (0.035, 0.035, 0.035)), color=c))
        self.add_goal(objs=balls, matches=np.ones((3, 1)), targ_poses=[bowl_pose], replace=True, rotations=False, metric='pose', params=None, step_max_reward=1, language_goal=self.lang_template)
