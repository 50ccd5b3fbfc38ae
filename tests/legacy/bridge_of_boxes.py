import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class BridgeOfBoxes(Task):
    """A bridge: two piers and a deck."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "build a bridge with two yellow blocks on base and one red box on top"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        base_size = (0.05, 0.15, 0.005)
        base_pose = self.get_random_pose(env, base_size)
        env.add_object('stacking/stand.urdf', base_pose, 'fixed')
        block_urdf = 'stacking/block.urdf'
        anchors = [(0, -0.05, 0.02), (0, 0.05, 0.02)]
        piers = [env.add_object(block_urdf, self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS['yellow']) for _ in range(2)]
        deck_urdf = self.fill_template('box/box-template.urdf', {'DIM': (0.04, 0.14, 0.03)})
        deck = env.add_object(deck_urdf, self.get_random_pose(env, (0.04, 0.14, 0.03)), color=utils.COLORS['red'])
        targs = [(utils.apply(base_pose, a), base_pose[1]) for a in anchors]
        self.add_goal(objs=piers, matches=np.ones((2, 2)), targ_poses=targs, replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, symmetries=[np.pi / 2] * 2, language_goal=self.lang_template)
        self.add_goal(objs=[deck], matches=np.ones((1, 1)), targ_poses=[(utils.apply(base_pose, (0, 0, 0.06)), base_pose[1])], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, symmetries=[np.pi], language_goal=self.lang_template)
