import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class KitMarks(Task):
    """Thin kit shapes as marks."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "put the star on the star mark"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        fname = os.path.join(self.assets_root, 'kitting', '10.obj')
        mark_pose = self.get_random_pose(env, (0.08, 0.08, 0))
        mark = self.fill_template('kitting/object-template-nocollision.urdf', {'FNAME': (fname,), 'SCALE': [0.003, 0.003, 0.0001], 'COLOR': (0.2, 0.2, 0.2)})
        env.add_object(mark, mark_pose, 'fixed')
        piece = self.fill_template('kitting/object-template.urdf', {'FNAME': (fname,), 'SCALE': [0.003, 0.003, 0.001], 'COLOR': utils.COLORS['blue']})
        star = env.add_object(piece, self.get_random_pose(env, (0.08, 0.08, 0.02)))
        self.add_goal(objs=[star], matches=np.ones((1, 1)), targ_poses=[mark_pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, symmetries=[2 * np.pi / 5], language_goal=self.lang_template)
