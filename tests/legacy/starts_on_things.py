import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class StartsOnThings(Task):
    """Things that start on others."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "move the ball from the pallet to the bowl"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        pallet_pose = self.get_random_pose(env, (0.3, 0.25, 0.04))
        env.add_object('pallet/pallet.urdf', pallet_pose, 'fixed')
        ball_pose = (utils.apply(pallet_pose, (0.05, 0.02, 0.05)), pallet_pose[1])
        block = env.add_object('block/block.urdf', ball_pose, color=utils.COLORS['orange'])
        bowl_pose = self.get_random_pose(env, (0.12, 0.12, 0))
        env.add_object('bowl/bowl.urdf', bowl_pose, 'fixed', color=utils.COLORS['white'])
        self.add_goal(objs=[block], matches=np.ones((1, 1)), targ_poses=[bowl_pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, language_goal='move the orange block from the pallet to the white bowl')
