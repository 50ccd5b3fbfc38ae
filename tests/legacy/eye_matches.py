import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class EyeMatches(Task):
    """Each ball to its own bowl, by an identity matrix."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "put each ball into the bowl of its color"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        tints = ['red', 'blue', 'green']
        bowls, balls = [], []
        for t in tints:
            pose = self.get_random_pose(env, (0.12, 0.12, 0))
            env.add_object('bowl/bowl.urdf', pose, 'fixed', color=utils.COLORS[t])
            bowls.append(pose)
        for t in tints:
            balls.append(env.add_object('ball/ball-template.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS[t]))
        self.add_goal(objs=balls, matches=np.eye(3), targ_poses=bowls, replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, language_goal=self.lang_template)
