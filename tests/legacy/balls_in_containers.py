import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class BallsInContainers(Task):
    """Balls into containers of the same colour."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "put the {color} ball in the {color} container"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        colors = ['red', 'green', 'blue', 'yellow']
        container_size = (0.12, 0.12, 0.05)
        poses = []
        for color in colors:
            container_pose = self.get_random_pose(env, container_size)
            container_urdf = self.fill_template('container/container-template.urdf', {'DIM': container_size, 'HALF': (container_size[0] / 2, container_size[1] / 2, container_size[2] / 2)})
            env.add_object(container_urdf, container_pose, 'fixed', color=utils.COLORS[color])
            poses.append(container_pose)
        for i, color in enumerate(colors):
            ball = env.add_object('ball/ball-template.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS[color])
            self.add_goal(objs=[ball], matches=np.ones((1, 1)), targ_poses=[poses[i]], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1 / len(colors), symmetries=[np.pi / 2], language_goal=self.lang_template.format(color=color))
