import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class InsertBlocksInFixture(Task):
    """Blocks into fixtures."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "insert the {c} block into the fixture"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        poses = []
        for _ in range(2):
            pose = self.get_random_pose(env, (0.12, 0.12, 0))
            env.add_object('insertion/fixture.urdf', pose, 'fixed')
            poses.append(pose)
        for c, pose in zip(['red', 'blue'], poses):
            block = env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS[c])
            self.add_goal(objs=[block], matches=np.ones((1, 1)), targ_poses=[pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, language_goal=self.lang_template.format(c=c))
