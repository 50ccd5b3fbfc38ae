import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class MovedFurther(Task):
    """One block that is moved twice."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "move the block from zone to zone"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        zones = []
        for c in ('red', 'blue'):
            pose = self.get_random_pose(env, (0.12, 0.12, 0))
            env.add_object('zone/zone.urdf', pose, 'fixed', color=utils.COLORS[c])
            zones.append(pose)
        block = env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS['yellow'])
        for zone, c in zip(zones, ('red', 'blue')):
            self.add_goal(objs=[block], matches=np.ones((1, 1)), targ_poses=[zone], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, language_goal='move the yellow block to the ' + c + ' zone')
