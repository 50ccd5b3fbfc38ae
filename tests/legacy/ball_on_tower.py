import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class BallOnTower(Task):
    """A ball on a tower of blocks."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "balance the ball on the tower"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        stand_pose = self.get_random_pose(env, (0.05, 0.15, 0.005))
        env.add_object('stacking/stand.urdf', stand_pose, 'fixed')
        blocks = [env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS['blue']) for _ in range(3)]
        ball = env.add_object('ball/ball-template.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS['red'])
        for i in range(3):
            pose = (utils.apply(stand_pose, (0, 0, 0.02 + 0.04 * i)), stand_pose[1])
            self.add_goal(objs=[blocks[i]], matches=np.ones((1, 1)), targ_poses=[pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.25, language_goal='stack the blue blocks on the stand')
        self.add_goal(objs=[ball], matches=np.ones((1, 1)), targ_poses=[(utils.apply(stand_pose, (0, 0, 0.16)), stand_pose[1])], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.25, language_goal='balance the red ball on top of the tower')
