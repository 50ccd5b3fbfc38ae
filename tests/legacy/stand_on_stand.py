import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class StandOnStand(Task):
    """Stands that are moved and stacked."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "stack the stand on the pallet, then the blocks on the stand"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        pallet_pose = self.get_random_pose(env, (0.3, 0.25, 0.04))
        env.add_object('pallet/pallet.urdf', pallet_pose, 'fixed')
        stand = env.add_object('stacking/stand.urdf', self.get_random_pose(env, (0.05, 0.15, 0.005)))
        blocks = [env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS['silver']) for _ in range(2)]
        self.add_goal(objs=[stand], matches=np.ones((1, 1)), targ_poses=[pallet_pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, symmetries=[np.pi], language_goal='put the stand on the pallet')
        spots = [(utils.apply(pallet_pose, (0, y, 0.03)), pallet_pose[1]) for y in (-0.05, 0.05)]
        self.add_goal(objs=blocks, matches=np.ones((2, 2)), targ_poses=spots, replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, symmetries=[0] * 2, language_goal='put the silver blocks on the stand')
