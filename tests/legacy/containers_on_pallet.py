import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class ContainersOnPallet(Task):
    """Containers that move, then are loaded."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "put the container on the pallet and a ball into it"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        pallet_pose = self.get_random_pose(env, (0.3, 0.25, 0.04))
        env.add_object('pallet/pallet.urdf', pallet_pose, 'fixed')
        size = (0.12, 0.12, 0.05)
        container = env.add_object(self.fill_template('container/container-template.urdf', {'DIM': size, 'HALF': (0.06, 0.06, 0.025), 'COLOR': 'blue'}), self.get_random_pose(env, size))
        ball = env.add_object('ball/ball.urdf', self.get_random_pose(env, (0.06, 0.06, 0.06)), color=utils.COLORS['red'])
        self.add_goal(objs=[container], matches=np.ones((1, 1)), targ_poses=[pallet_pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, language_goal='put the blue container on the pallet')
        self.add_goal(objs=[ball], matches=np.ones((1, 1)), targ_poses=[pallet_pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, language_goal='put the red ball in the blue container')
