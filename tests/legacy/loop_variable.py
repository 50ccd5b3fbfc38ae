import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class LoopVariable(Task):
    """The last value of a loop variable."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "put the {c} cylinder on the {c} pallet"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        names = ['red', 'green']
        pallets = []
        for c in names:
            pallet_pose = self.get_random_pose(env, (0.3, 0.25, 0.04))
            pallets.append(env.add_object('pallet/pallet.urdf', pallet_pose, 'fixed', color=utils.COLORS[c]))
        cyls = [env.add_object('cylinder/cylinder-template.urdf', self.get_random_pose(env, (0.05, 0.05, 0.06)), color=utils.COLORS[c]) for c in names]
        for i in range(2):
            self.add_goal(objs=[cyls[i]], matches=np.ones((1, 1)), targ_poses=[pallet_pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, language_goal=self.lang_template.format(c=names[i]))
