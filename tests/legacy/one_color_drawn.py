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

class OneColorDrawn(Task):
    """A colour is drawn with numpy."""

    def __init__(self):
        super().__init__()
        self.max_steps = 4
        self.lang_template = "put the {color} box in the {color2} container"
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        names = list(utils.COLORS.keys())
        k = np.random.choice(5, 2, replace=False)
        color, color2 = names[k[0]], names[k[1]]
        size = (0.15, 0.15, 0.05)
        urdf = self.fill_template('container/container-template.urdf', {'DIM': size, 'HALF': [s / 2 for s in size]})
        pose = self.get_random_pose(env, size)
        env.add_object(urdf, pose, 'fixed', color=utils.COLORS[color2])
        box_size = (0.05, 0.04, 0.03)
        box = env.add_object(self.fill_template('box/box-template.urdf', {'DIM': box_size}), self.get_random_pose(env, box_size), color=utils.COLORS[color])
        self.add_goal(objs=[box], matches=np.ones((1, 1)), targ_poses=[pose], replace=False, rotations=True, metric='zone', params=[(pose, size)], step_max_reward=1, language_goal=self.lang_template.format(color=color, color2=color2))
