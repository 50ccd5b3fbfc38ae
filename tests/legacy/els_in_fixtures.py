import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class ElsInFixtures(Task):
    """Insert two ells."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "insert the {color} ell in the fixture of its color"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        names = ['red', 'blue']
        ells = []
        fixtures = []
        for name in names:
            fixture_pose = self.get_random_pose(env, (0.12, 0.12, 0))
            env.add_object('insertion/fixture.urdf', fixture_pose, category='fixed', color=utils.COLORS[name])
            fixtures.append(fixture_pose)
        for name in names:
            ells.append(env.add_object('insertion/ell.urdf', self.get_random_pose(env, (0.1, 0.1, 0.04)), color=utils.COLORS[name]))
        for i in range(2):
            self.add_goal(objs=[ells[i]], matches=np.ones((1, 1)), targ_poses=[fixtures[i]], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1 / 2, symmetries=[2 * np.pi], language_goal=self.lang_template.format(color=names[i]))
