import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class HouseOfParts(Task):
    """A house of boxes."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "build a house: base, walls and roof"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        base_pose = self.get_random_pose(env, (0.2, 0.2, 0.02))
        base = self.fill_template('box/box-template.urdf', {'DIM': (0.16, 0.16, 0.02), 'COLOR': 'brown'})
        env.add_object(base, base_pose, 'fixed')
        wall = self.fill_template('box/box-template.urdf', {'DIM': (0.03, 0.12, 0.06), 'COLOR': 'gray'})
        walls = [env.add_object(wall, self.get_random_pose(env, (0.03, 0.12, 0.06))) for _ in range(2)]
        roof = env.add_object(self.fill_template('box/box-template.urdf', {'DIM': (0.14, 0.12, 0.02), 'COLOR': 'red'}), self.get_random_pose(env, (0.14, 0.12, 0.02)))
        spots = [(utils.apply(base_pose, (x, 0, 0.04)), base_pose[1]) for x in (-0.05, 0.05)]
        self.add_goal(objs=walls, matches=np.ones((2, 2)), targ_poses=spots, replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.6, symmetries=[np.pi] * 2, language_goal='put the gray boxes on the brown box as walls')
        self.add_goal(objs=[roof], matches=np.ones((1, 1)), targ_poses=[(utils.apply(base_pose, (0, 0, 0.08)), base_pose[1])], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.4, symmetries=[np.pi], language_goal='lay the red box across the gray boxes')
