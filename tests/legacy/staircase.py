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

class Staircase(Task):
    """A staircase of blocks."""

    def __init__(self):
        super().__init__()
        self.max_steps = 20
        self.lang_template = "build a staircase with three steps"
        self.task_completed_desc = "the staircase stands."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        base_pose = self.get_random_pose(env, (0.15, 0.15, 0.02))
        cols = ['red', 'green', 'blue', 'yellow', 'orange', 'purple']
        blocks = []
        for c in cols:
            blocks.append(env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=c))
        place = [(-0.04, 0, 0.02), (0, 0, 0.02), (0.04, 0, 0.02), (0, 0, 0.06), (0.04, 0, 0.06), (0.04, 0, 0.1)]
        targs = [(utils.apply(base_pose, xyz), base_pose[1]) for xyz in place]
        self.add_goal(objs=blocks[:3], matches=np.ones((3, 3)), targ_poses=targs[:3], replace=False, rotations=True,
                      metric='pose', params=None, step_max_reward=1/2, symmetries=[np.pi/2]*3, language_goal=self.lang_template)
        self.add_goal(objs=blocks[3:5], matches=np.ones((2, 2)), targ_poses=targs[3:5], replace=False, rotations=True,
                      metric='pose', params=None, step_max_reward=1/3, symmetries=[np.pi/2]*2, language_goal=self.lang_template)
        self.add_goal(objs=blocks[5:], matches=np.ones((1, 1)), targ_poses=targs[5:], replace=False, rotations=True,
                      metric='pose', params=None, step_max_reward=1/6, symmetries=[np.pi/2], language_goal=self.lang_template)
