import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class BlocksOnPallet(Task):
    """Blocks in rows on a pallet."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "place the {tint} block on the pallet"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        pallet_pose = self.get_random_pose(env, (0.3, 0.25, 0.04))
        env.add_object('pallet/pallet.urdf', pallet_pose, 'fixed')
        tints = ['red', 'blue', 'green', 'yellow']
        spots = [(-0.09, -0.05), (-0.03, 0.05), (0.03, -0.05), (0.09, 0.05)]
        for k in range(4):
            block = env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS[tints[k]])
            spot = (utils.apply(pallet_pose, (spots[k][0], spots[k][1], 0.02)), pallet_pose[1])
            self.add_goal(objs=[block], matches=np.ones((1, 1)), targ_poses=[spot], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1. / 4, language_goal=self.lang_template.format(tint=tints[k]))
