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

class PlusOfBoxes(Task):
    """Boxes make a plus sign."""

    def __init__(self):
        super().__init__()
        self.max_steps = 10
        self.lang_template = "build a plus sign out of the boxes with the white block in the middle"
        self.task_completed_desc = "plus."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        where = self.get_random_pose(env, (0.2, 0.2, 0.04))
        middle = env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS['white'])
        arm_size = (0.06, 0.04, 0.04)
        arm_urdf = self.fill_template('box/box-template.urdf', {'DIM': arm_size, 'COLOR': 'purple'})
        arms = [env.add_object(arm_urdf, self.get_random_pose(env, arm_size)) for _ in range(4)]
        self.add_goal(objs=[middle], matches=np.ones((1, 1)), targ_poses=[where], replace=False, rotations=True, metric='pose',
                      params=None, step_max_reward=0.2, symmetries=[np.pi / 2], language_goal=self.lang_template)
        targs = []
        for k in range(4):
            turn = utils.eulerXYZ_to_quatXYZW((0, 0, k * np.pi / 2))
            pose = utils.multiply(where, ((0, 0, 0), turn))
            targs.append((utils.apply(pose, (0.055, 0, 0)), pose[1]))
        self.add_goal(objs=arms, matches=np.ones((4, 4)), targ_poses=targs, replace=False, rotations=True, metric='pose',
                      params=None, step_max_reward=0.8, symmetries=[np.pi] * 4, language_goal=self.lang_template)
