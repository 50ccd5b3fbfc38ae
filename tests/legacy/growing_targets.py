import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class GrowingTargets(Task):
    """One goal with a list that grows."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "cover the stand with red blocks"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        stand_pose = self.get_random_pose(env, (0.05, 0.15, 0.005))
        env.add_object('stacking/stand.urdf', stand_pose, 'fixed')
        blocks, targets = [], []
        for _ in range(3):
            blocks.append(env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04))))
        self.add_goal(objs=blocks, matches=np.ones((3, 3)), targ_poses=targets, replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, language_goal=self.lang_template)
        for k in range(3):
            targets.append((utils.apply(stand_pose, (0, 0.05 * (k - 1), 0.02)), stand_pose[1]))
