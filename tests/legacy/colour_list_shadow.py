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

class ColourListShadow(Task):
    """Names that shadow others."""

    def __init__(self):
        super().__init__()
        self.max_steps = 10
        self.lang_template = "place the {color} cylinder in the {color} bowl"
        self.task_completed_desc = "done."
        self.colors = utils.COLORS
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        colors = [utils.COLORS['pink'], utils.COLORS['indigo']]
        list_of_names = ['pink', 'indigo']
        bowls = ['green', 'white']
        str_fmt = "place the {} cylinder in the {} bowl"
        input_poses = []
        for id, color in enumerate(bowls):
            pose = self.get_random_pose(env, obj_size=(0.12, 0.12, 0))
            env.add_object('bowl/bowl.urdf', pose=pose, category='fixed', color=self.colors[color])
            input_poses.append(pose)
        template, size = 'cylinder/cylinder-template.urdf', (0.03, 0.03, 0.03)
        for id in range(2):
            c = env.add_object(self.fill_template(template, {'DIM': tuple(s / 2 for s in size[:2]) + (size[2],)}), self.get_random_pose(env, size), color=colors[id])
            self.add_goal(objs=[c], matches=np.int32([[1]]), targ_poses=[input_poses[id]], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1 / 2, symmetries=[0], language_goal=str_fmt.format(list_of_names[id], bowls[id]))
