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

class CansInCratesByColor(Task):
    """Each can belongs in the crate of its colour."""

    def __init__(self):
        super().__init__()
        self.max_steps = 20
        self.lang_template = "put the {color} can into the {color} crate"
        self.task_completed_desc = "all cans are stored."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        colors = ['red', 'green', 'blue', 'yellow']
        crate_size = (0.12, 0.12, 0.05)
        crate_urdf = self.fill_template('container/container-template.urdf', {'DIM': crate_size, 'HALF': (crate_size[0] / 2, crate_size[1] / 2, crate_size[2] / 2)})
        crates, crate_poses = [], []
        for c in colors:
            pose = self.get_random_pose(env, crate_size)
            crates.append(env.add_object(crate_urdf, pose, category='fixed', color=utils.COLORS[c]))
            crate_poses.append(pose)
        can_size = (0.04, 0.04, 0.06)
        cans = []
        for c in colors:
            pose = self.get_random_pose(env, can_size)
            cans.append(env.add_object('cylinder/cylinder-template.urdf', pose, color=utils.COLORS[c]))
        for i in range(len(colors)):
            self.add_goal(objs=[cans[i]], matches=np.ones((1, 1)), targ_poses=[crate_poses[i]], replace=False,
                          rotations=True, metric='pose', params=None, step_max_reward=1 / len(colors),
                          language_goal=self.lang_template.format(color=colors[i]))
