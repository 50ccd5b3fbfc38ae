import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class RopeBetweenBoxes(Task):
    """A rope from one box to another."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "connect the red box and the blue box with the rope"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        size = (0.05, 0.05, 0.04)
        urdf = self.fill_template('box/box-template.urdf', {'DIM': size})
        ends = []
        for c in ('red', 'blue'):
            pose = self.get_random_pose(env, size)
            env.add_object(urdf, pose, 'fixed', color=utils.COLORS[c])
            ends.append(pose[0])
        objs, targs, matches = self.make_ropes(env, corners=(ends[0], ends[1]), color_name='green')
        self.add_goal(objs=objs, matches=matches, targ_poses=targs, replace=False, rotations=False, metric='pose', params=None, step_max_reward=1, language_goal=self.lang_template)
