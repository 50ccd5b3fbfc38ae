import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class TwoLayers(Task):
    """Layers of boxes on a pallet."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "stack {n} boxes on the pallet"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        pallet_pose = self.get_random_pose(env, (0.3, 0.25, 0.04))
        env.add_object('pallet/pallet.urdf', pallet_pose, 'fixed')
        size = (0.06, 0.08, 0.04)
        ids, targs = [], []
        for layer in range(2):
            for i in range(3):
                urdf = self.fill_template('box/box-template.urdf', {'DIM': size})
                ids.append(env.add_object(urdf, self.get_random_pose(env, size), color=utils.COLORS['brown']))
                targs.append((utils.apply(pallet_pose, (0.08 * (i - 1), 0, 0.04 * (layer + 1))), pallet_pose[1]))
        self.add_goal(objs=ids, matches=np.ones((6, 6)), targ_poses=targs, replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, language_goal='stack the brown boxes on the pallet')
