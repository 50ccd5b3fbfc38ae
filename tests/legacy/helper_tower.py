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

def make_blocks(task, env, names):
    """Blocks of the colours."""
    made = []
    for name in names:
        made.append(env.add_object('stacking/block.urdf', task.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS[name]))
    return made


class HelperTower(Task):
    """A tower made by a helper function."""

    def __init__(self):
        super().__init__()
        self.max_steps = 10
        self.lang_template = "stack a tower with the order {order}"
        self.task_completed_desc = "tower."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        order = ['gray', 'brown', 'cyan']
        ids = make_blocks(self, env, order)
        base = self.get_random_pose(env, (0.05, 0.15, 0.005))
        env.add_object('stacking/stand.urdf', base, category='fixed')
        level = 0
        while level < len(ids):
            spot = utils.multiply(base, ((0, 0, 0.02 + 0.04 * level), (0, 0, 0, 1)))
            self.add_goal(objs=[ids[level]], matches=np.ones((1, 1)), targ_poses=[spot], replace=False, rotations=True, metric='pose',
                          params=None, step_max_reward=1 / 3, symmetries=[np.pi / 2], language_goal=self.lang_template.format(order=', '.join(order)))
            level += 1
