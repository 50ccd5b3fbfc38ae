import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class BareRow(Task):
    """A row at a random pose."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "build a row of three boxes"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        box_size = (0.05, 0.05, 0.03)
        where = self.get_random_pose(env, (0.2, 0.2, 0.03))
        urdf = self.fill_template('box/box-template.urdf', {'DIM': box_size})
        boxes = [env.add_object(urdf, self.get_random_pose(env, box_size), color=c) for c in ('red', 'green', 'blue')]
        for i, box in enumerate(boxes):
            targ = (utils.apply(where, (0.06 * (i - 1), 0, 0)), where[1])
            self.add_goal(objs=[box], matches=np.ones((1, 1)), targ_poses=[targ], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1 / 3, language_goal=self.lang_template)
