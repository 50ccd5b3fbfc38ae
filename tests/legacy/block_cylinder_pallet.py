import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class BlockCylinderPallet(Task):
    """Block, cylinder and pallet."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "put the {b} block on the cylinder and the cylinder on the pallet"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        pallet_pose = self.get_random_pose(env, (0.35, 0.35, 0.01))
        env.add_object('pallet/pallet.urdf', pallet_pose)
        cyl = self.fill_template('cylinder/cylinder-template.urdf', {'DIM': (0.03, 0.03, 0.05)})
        cylinder_pose = self.get_random_pose(env, (0.06, 0.06, 0.05))
        cylinder = env.add_object(cyl, cylinder_pose, color=utils.COLORS['green'])
        block = env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS['red'])
        self.add_goal(objs=[cylinder], matches=np.ones((1, 1)), targ_poses=[pallet_pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, language_goal='place the green cylinder on the pallet')
        self.add_goal(objs=[block], matches=np.ones((1, 1)), targ_poses=[cylinder_pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, language_goal='place the red block on the green cylinder')
