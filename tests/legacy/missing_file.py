import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils
import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils

class MissingFile(Task):
    """Files that do not exist."""

    def __init__(self):
        super().__init__()
        self.max_steps = 10
        self.lang_template = "put the {c} pyramid on the {z} zone"
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        for c, z in zip(['red', 'blue'], ['yellow', 'purple']):
            zone_pose = self.get_random_pose(env, (0.12, 0.12, 0))
            env.add_object('zone/zone-template.urdf', zone_pose, 'fixed', color=utils.COLORS[z])
            thing = env.add_object('pyramid/pyramid-template.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS[c])
            self.add_goal(objs=[thing], matches=np.ones((1, 1)), targ_poses=[zone_pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1 / 2, language_goal=self.lang_template.format(c=c, z=z))
