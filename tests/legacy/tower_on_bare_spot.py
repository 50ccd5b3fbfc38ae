import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class TowerOnBareSpot(Task):
    """A tower at a place of the world."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "build a tower of boxes"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        size = (0.05, 0.05, 0.03)
        boxes = []
        for k in range(4):
            urdf = self.fill_template('box/box-template.urdf', {'DIM': size, 'COLOR': utils.COLORS[['red', 'orange', 'yellow', 'green'][k]]})
            boxes.append(env.add_object(urdf, self.get_random_pose(env, size)))
        targets = [((0.5, 0.0, 0.03 * k), (0, 0, 0, 1)) for k in range(4)]
        self.add_goal(objs=boxes, matches=np.ones((4, 4)), targ_poses=targets, replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, language_goal=self.lang_template)
