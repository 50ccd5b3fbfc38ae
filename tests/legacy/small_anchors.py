import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class SmallAnchors(Task):
    """Corners painted where boxes go."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "put the boxes where the anchors are"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        size = (0.06, 0.06, 0.04)
        urdf = self.fill_template('box/box-template.urdf', {'DIM': size})
        for tint in ('indigo', 'gold'):
            pose = self.get_random_pose(env, (0.1, 0.1, 0.04))
            self.add_corner_anchor_for_pose(env, pose)
            box = env.add_object(urdf, self.get_random_pose(env, size), color=utils.COLORS[tint])
            self.add_goal(objs=[box], matches=np.ones((1, 1)), targ_poses=[pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, language_goal=f'put the {tint} box at the corner')
