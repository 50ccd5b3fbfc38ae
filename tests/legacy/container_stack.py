import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class ContainerStack(Task):
    """Blocks stacked in a container."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "stack blocks in the container"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        container_size = (0.15, 0.15, 0.05)
        container_pose = self.get_random_pose(env, container_size)
        container_urdf = self.fill_template('container/container-template.urdf', {'DIM': container_size, 'HALF': tuple(s / 2 for s in container_size)})
        env.add_object(container_urdf, container_pose, 'fixed')
        colors = [utils.COLORS['red'], utils.COLORS['blue'], utils.COLORS['green']]
        blocks = []
        for i in range(3):
            blocks.append(env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=colors[i]))
        for i in range(3):
            self.add_goal(objs=[blocks[i]], matches=np.ones((1, 1)), targ_poses=[container_pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1 / 3, language_goal=self.lang_template)
