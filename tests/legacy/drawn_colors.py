import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class DrawnColors(Task):
    """Colours that are drawn."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "put the {a} block in the {b} bowl"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        rgb, names = utils.get_colors(mode=self.mode, n_colors=2)
        bowl_pose = self.get_random_pose(env, (0.12, 0.12, 0))
        env.add_object('bowl/bowl.urdf', bowl_pose, 'fixed', color=rgb[1])
        block = env.add_object('stacking/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=rgb[0])
        self.add_goal(objs=[block], matches=np.ones((1, 1)), targ_poses=[bowl_pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, language_goal=self.lang_template.format(a=names[0], b=names[1]))
