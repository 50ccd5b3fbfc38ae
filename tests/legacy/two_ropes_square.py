import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class TwoRopesSquare(Task):
    """Two ropes along two sides of a square."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'lay the ropes along the sides of the square'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        length = 2 * 0.005 * 20 * np.sqrt(2)
        pose = self.get_random_pose(env, (length, length, 0))
        env.add_object(self.fill_template('square/square-template.urdf', {'DIM': (length,), 'HALF': (length / 2 - 0.005,)}), pose, 'fixed')
        h = length / 2
        for a, b in (((h, h, 0), (-h, h, 0)), ((h, h, 0), (h, -h, 0))):
            objs, targs, matches = self.make_ropes(env, [utils.apply(pose, a), utils.apply(pose, b)], color_name='blue')
            self.add_goal(objs=objs, matches=matches, targ_poses=targs, replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, symmetries=[0] * len(objs), language_goal=self.lang_template)
