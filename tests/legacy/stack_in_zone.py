import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class StackInZone(Task):
    """A tower in a zone."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "stack the blocks in the {z} zone: {c} next"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        zone_pose = self.get_random_pose(env, (0.12, 0.12, 0))
        env.add_object('zone/zone.urdf', zone_pose, 'fixed', color=utils.COLORS['gray'])
        z = 0.02
        for c in ('red', 'blue', 'green'):
            block = env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS[c])
            targ = ((zone_pose[0][0], zone_pose[0][1], z), zone_pose[1])
            z += 0.04
            self.add_goal(objs=[block], matches=np.ones((1, 1)), targ_poses=[targ], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1 / 3, language_goal=self.lang_template.format(z='gray', c=c))
