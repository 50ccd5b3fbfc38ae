import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class PyramidOnStand(Task):
    """A pyramid of six blocks."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "make the {blocks} row with {row}"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        base_size = (0.05, 0.15, 0.005)
        base_pose = self.get_random_pose(env, base_size)
        env.add_object('stacking/stand.urdf', base_pose, 'fixed')
        colors = [utils.COLORS['purple'], utils.COLORS['blue'], utils.COLORS['green'], utils.COLORS['yellow'], utils.COLORS['orange'], utils.COLORS['red']]
        objs = []
        for i in range(6):
            objs.append(env.add_object('stacking/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=colors[i]))
        place_pos = [(0, -0.05, 0.03), (0, 0, 0.03), (0, 0.05, 0.03), (0, -0.025, 0.08), (0, 0.025, 0.08), (0, 0, 0.13)]
        targs = [(utils.apply(base_pose, i), base_pose[1]) for i in place_pos]
        self.add_goal(objs=objs[:3], matches=np.ones((3, 3)), targ_poses=targs[:3], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1 / 2, symmetries=[np.pi / 2] * 3, language_goal=self.lang_template.format(blocks='purple, blue and green', row='the bottom'))
        self.add_goal(objs=objs[3:5], matches=np.ones((2, 2)), targ_poses=targs[3:5], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1 / 3, symmetries=[np.pi / 2] * 2, language_goal=self.lang_template.format(blocks='yellow and orange', row='the middle'))
        self.add_goal(objs=objs[5:], matches=np.ones((1, 1)), targ_poses=targs[5:], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1 / 6, symmetries=[np.pi / 2], language_goal=self.lang_template.format(blocks='red', row='the top'))
