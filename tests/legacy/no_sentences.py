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

class NoSentences(Task):
    """Goals without any sentence."""

    def __init__(self):
        super().__init__()
        self.max_steps = 6
        self.lang_template = "put the balls into the bowls"
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        bowl_poses = []
        for _ in range(3):
            pose = self.get_random_pose(env, (0.12, 0.12, 0))
            env.add_object('bowl/bowl.urdf', pose, 'fixed')
            bowl_poses.append(pose)
        balls = [env.add_object('ball/ball-template.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS['purple']) for _ in range(3)]
        self.add_goal(objs=balls, matches=np.ones((3, 3)), targ_poses=bowl_poses, replace=False, rotations=True, metric='pose',
                      params=None, step_max_reward=1)
