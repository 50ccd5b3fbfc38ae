import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class BoxesAroundCylinder(Task):
    """Blocks round a movable cylinder by the old API."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "surround the yellow cylinder with blocks"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        pose = self.get_random_pose(env, (0.04, 0.04, 0.05))
        env.add_object('cylinder/cylinder-template.urdf', pose, color=utils.COLORS['yellow'])
        offsets = [(0.06, 0), (-0.06, 0), (0, 0.06), (0, -0.06)]
        for dx, dy in offsets:
            block = env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS['red'])
            spot = (utils.apply(pose, (dx, dy, 0)), pose[1])
            self.add_goal(objs=[block], matches=np.ones((1, 1)), targ_poses=[spot], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.25, language_goal=self.lang_template)
