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

class PybulletLookup(Task):
    """Where things are, asked of pybullet."""

    def __init__(self):
        super().__init__()
        self.max_steps = 6
        self.lang_template = "put the yellow ball next to the blue block"
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        block = env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS['blue'])
        ball = env.add_object('ball/ball-template.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS['yellow'])
        p.stepSimulation()
        pos, rot = p.getBasePositionAndOrientation(block)
        target = ((pos[0] + 0.05, pos[1], pos[2]), p.getQuaternionFromEuler((0, 0, 0)))
        self.add_goal(objs=[ball], matches=np.ones((1, 1)), targ_poses=[target], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, language_goal=self.lang_template)
