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

class NestedLoopsGrid(Task):
    """A checkerboard on the pallet."""

    def __init__(self):
        super().__init__()
        self.max_steps = 20
        self.lang_template = "fill the pallet with a checkerboard of white and black blocks"
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        pallet_pose = self.get_random_pose(env, (0.3, 0.25, 0.02))
        env.add_object('pallet/pallet.urdf', pallet_pose, 'fixed')
        white, black, wt, bt = [], [], [], []
        for row in range(2):
            for col in range(3):
                place = (utils.apply(pallet_pose, ((col - 1) * 0.06, (row - 0.5) * 0.06, 0.04)), pallet_pose[1])
                is_white = (row + col) % 2 == 0
                block = env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS['white' if is_white else 'black'])
                (white if is_white else black).append(block)
                (wt if is_white else bt).append(place)
        for objs, targs, word in ((white, wt, 'white'), (black, bt, 'black')):
            self.add_goal(objs=objs, matches=np.ones((len(objs), len(objs))), targ_poses=targs, replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, symmetries=[np.pi / 2] * len(objs), language_goal=f"{self.lang_template}: the {word} ones")
