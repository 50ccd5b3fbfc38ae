import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class RopeAlongLine(Task):
    """Lay a rope on a line."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "align the rope along the green line"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        length = 2 * 0.005 * 20 * np.sqrt(2)
        pose = self.get_random_pose(env, (length, 0.01, 0.01))
        urdf = self.fill_template('line/line-template.urdf', {'DIM': (length,)})
        env.add_object(urdf, pose, 'fixed')
        a = utils.apply(pose, (length / 2, 0, 0.001))
        b = utils.apply(pose, (-length / 2, 0, 0.001))
        objects, targets, matches = self.make_ropes(env, corners=(a, b), color_name='blue')
        self.add_goal(objs=objects, matches=matches, targ_poses=targets, replace=False, rotations=False, metric='pose', params=None, step_max_reward=1., symmetries=[0] * len(objects), language_goal=self.lang_template)
