import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class SweepIntoContainer(Task):
    """Two sorts of piles into zones."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "push the pile of {tint} blocks into the green square"
        self.task_completed_desc = "finished."
        self.primitive = primitives.push
        self.ee = Spatula
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        zone_size = (0.12, 0.12, 0)
        zone_pose = self.get_random_pose(env, zone_size)
        env.add_object('zone/zone.urdf', zone_pose, 'fixed')
        ids = self.make_piles(env, block_color='blue')
        self.add_goal(objs=ids, matches=np.ones((50, 1)), targ_poses=[zone_pose], replace=True, rotations=False, metric='zone', params=[(zone_pose, zone_size)], step_max_reward=1, language_goal=self.lang_template.format(tint='blue'))
