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

class ListedSentences(Task):
    """Sentences appended by hand."""

    def __init__(self):
        super().__init__()
        self.max_steps = 6
        self.lang_template = "put the {a} box on the {b} stand"
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        stand_pose = self.get_random_pose(env, (0.05, 0.15, 0.005))
        env.add_object('stacking/stand.urdf', stand_pose, 'fixed')
        box_size = (0.04, 0.05, 0.03)
        box_urdf = self.fill_template('box/box-template.urdf', {'DIM': box_size})
        for i, (name, y) in enumerate([('red', -0.05), ('blue', 0.0), ('green', 0.05)]):
            box = env.add_object(box_urdf, self.get_random_pose(env, box_size), color=utils.COLORS[name])
            pose = (utils.apply(stand_pose, (0, y, 0.02)), stand_pose[1])
            self.add_goal(objs=[box], matches=np.ones((1, 1)), targ_poses=[pose], replace=False, rotations=True, metric='pose',
                          params=None, step_max_reward=1/3, symmetries=[np.pi])
            self.lang_goals.append(self.lang_template.format(a=name, b='gray'))
