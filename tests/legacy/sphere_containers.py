import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class SphereContainers(Task):
    """Unfilled containers and spheres."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "put the {c} sphere in the {c} container"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        for c in ['red', 'blue']:
            container_pose = self.get_random_pose(env, (0.1, 0.1, 0.05))
            env.add_object('container/container-template.urdf', container_pose, color=utils.COLORS[c])
            ball = env.add_object('sphere/sphere-template.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS[c])
            self.add_goal(objs=[ball], matches=np.ones((1, 1)), targ_poses=[container_pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, language_goal=self.lang_template.format(c=c))
