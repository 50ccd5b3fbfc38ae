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

class PalletThreeKinds(Task):
    """Three kinds of things on a pallet in a row."""

    def __init__(self):
        super().__init__()
        self.max_steps = 10
        self.lang_template = "arrange the things on the pallet from left to right: block, cylinder, ball"
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        pallet_pose = self.get_random_pose(env, (0.3, 0.25, 0.02))
        env.add_object('pallet/pallet.urdf', pallet_pose, 'fixed')
        specs = [('block/block.urdf', 'red'), ('cylinder/cylinder-template.urdf', 'blue'), ('ball/ball-template.urdf', 'green')]
        ids = []
        for f, c in specs:
            if 'template' in f:
                f = self.fill_template(f, {'DIM': (0.02, 0.02, 0.04)})
            ids.append(env.add_object(f, self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS[c]))
        i = 0
        while i < 3:
            t = (utils.apply(pallet_pose, (0, -0.06 + 0.06 * i, 0.04)), pallet_pose[1])
            self.add_goal(objs=[ids[i]], matches=np.ones((1, 1)), targ_poses=[t], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1 / 3, language_goal=self.lang_template)
            i += 1
