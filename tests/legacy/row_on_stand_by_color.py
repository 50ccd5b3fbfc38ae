import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class RowOnStandByColor(Task):
    """Blocks in a given order on a stand."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "put the {c} block on the stand, {n} from the left"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        stand_pose = self.get_random_pose(env, (0.05, 0.15, 0.005))
        env.add_object('stacking/stand.urdf', stand_pose, 'fixed')
        for i, c in enumerate(['red', 'green', 'blue']):
            block = env.add_object('stacking/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS[c])
            pose = (utils.apply(stand_pose, (0, -0.05 + 0.05 * i, 0.025)), stand_pose[1])
            self.add_goal(objs=[block], matches=np.ones((1, 1)), targ_poses=[pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1 / 3, language_goal=f'put the {c} block on the stand')
