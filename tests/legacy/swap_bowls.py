import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class SwapBowls(Task):
    """Things that start in holders."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "move the red ball from the blue bowl to the green bowl"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        poses = {}
        for c in ['blue', 'green']:
            poses[c] = self.get_random_pose(env, (0.12, 0.12, 0))
            env.add_object('bowl/bowl.urdf', poses[c], 'fixed', color=utils.COLORS[c])
        ball = env.add_object('ball/ball-template.urdf', poses['blue'], color=utils.COLORS['red'])
        self.add_goal(objs=[ball], matches=np.ones((1, 1)), targ_poses=[poses['green']], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, language_goal=self.lang_template)
