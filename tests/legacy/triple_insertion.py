import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class TripleInsertion(Task):
    """Boxes into containers by size."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "insert the {s} box into the container"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        sizes = {'small': (0.04, 0.04, 0.03), 'large': (0.06, 0.06, 0.03)}
        for s in ['small', 'large']:
            csize = tuple(np.array(sizes[s]) + np.array([0.04, 0.04, 0.01]))
            cpose = self.get_random_pose(env, csize)
            env.add_object(self.fill_template('container/container-template.urdf', {'DIM': csize, 'HALF': tuple(v / 2 for v in csize)}), cpose, 'fixed', color=utils.COLORS['gray'])
            box = env.add_object(self.fill_template('box/box-template.urdf', {'DIM': sizes[s]}), self.get_random_pose(env, sizes[s]), color=utils.COLORS['red' if s == 'small' else 'pink'])
            self.add_goal(objs=[box], matches=np.ones((1, 1)), targ_poses=[cpose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, symmetries=[np.pi / 2], language_goal=self.lang_template.format(s=s))
