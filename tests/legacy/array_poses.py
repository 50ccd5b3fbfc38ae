import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class ArrayPoses(Task):
    """Poses made of arrays."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "put the {c} box left"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        zone_pose = self.get_random_pose(env, np.array([0.12, 0.12, 0]))
        env.add_object('zone/zone.urdf', zone_pose, 'fixed')
        spot = np.array(zone_pose[0]) + np.array([0.0, 0.0, 0.02])
        block = env.add_object('block/block.urdf', self.get_random_pose(env, np.float32([0.04, 0.04, 0.04])), color=[1.0, 0.0, 0.0])
        env.set_color(block, utils.COLORS['purple'])
        self.add_goal(objs=[(block, (0, None))], matches=np.int32([[1]]), targ_poses=[(spot, zone_pose[1])], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, language_goal=['put the purple block in the green zone'])
