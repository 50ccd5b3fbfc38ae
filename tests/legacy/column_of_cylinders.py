import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class ColumnOfCylinders(Task):
    """Stack four cylinders by colour."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "stack the cylinders: red, green, blue, yellow from the bottom up"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        size = (0.05, 0.05, 0.05)
        urdf = 'cylinder/cylinder-template.urdf'
        tints = ['red', 'green', 'blue', 'yellow']
        parts = []
        for tint in tints:
            pose = self.get_random_pose(env, size)
            parts.append(env.add_object(urdf, pose, color=utils.COLORS[tint]))
        foot = self.get_random_pose(env, size)
        for k, part in enumerate(parts):
            spot = (utils.apply(foot, (0, 0, 0.05 * k)), foot[1])
            self.add_goal(objs=[part], matches=np.ones((1, 1)), targ_poses=[spot], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1 / 4, symmetries=[0], language_goal=self.lang_template)
