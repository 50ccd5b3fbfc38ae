import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class BoxesToCorners(Task):
    """Put boxes into corners."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "align the brown box with the green corner"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        box_size = self.get_random_size(0.05, 0.1, 0.05, 0.1, 0.04, 0.06)
        corner_pose = self.get_random_pose(env, (box_size[0] * 2, box_size[1] * 2, 0))
        corner = self.fill_template('corner/corner-template.urdf', {'DIMX': (box_size[0] / 2,), 'DIMY': (box_size[1] / 2,)})
        env.add_object(corner, corner_pose, 'fixed')
        box = self.fill_template('box/box-template.urdf', {'DIM': np.array(box_size)})
        box_id = env.add_object(box, self.get_random_pose(env, box_size), color=utils.COLORS['brown'])
        self.add_goal(objs=[box_id], matches=np.int32([[1]]), targ_poses=[corner_pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, symmetries=[np.pi], language_goal=self.lang_template)
