import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class CircleRoundTheBall(Task):
    """Blocks in a circle."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "arrange the blocks in a circle around the ball"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        centre = self.get_random_pose(env, (0.25, 0.25, 0.04))
        env.add_object('ball/ball.urdf', centre, 'fixed', color=utils.COLORS['red'])
        blocks = []
        spots = []
        for i in range(6):
            angle = 2 * np.pi * i / 6
            blocks.append(env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS['green']))
            spots.append((utils.apply(centre, (0.1 * np.cos(angle), 0.1 * np.sin(angle), 0)), centre[1]))
        self.add_goal(objs=blocks, matches=np.ones((6, 6)), targ_poses=spots, replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, symmetries=[np.pi / 2] * 6, language_goal=self.lang_template)
