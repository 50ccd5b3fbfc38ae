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

class MutatedPose(Task):
    """Lift the target by hand."""

    def __init__(self):
        super().__init__()
        self.max_steps = 5
        self.lang_template = "stack the green block onto the red block on the stand"
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        import copy
        stand_pose = self.get_random_pose(env, (0.05, 0.15, 0.005))
        env.add_object('stacking/stand.urdf', stand_pose, 'fixed')
        red = env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS['red'])
        green = env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS['green'])
        low = (list(stand_pose[0]), stand_pose[1])
        low[0][2] += 0.02
        high = copy.deepcopy(low)
        high[0][2] = high[0][2] + 0.04
        for o, t in [(red, low), (green, high)]:
            self.add_goal(objs=[o], matches=np.ones((1, 1)), targ_poses=[t], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, symmetries=[0], language_goal=self.lang_template)
