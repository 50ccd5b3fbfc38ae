import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class RopeOnGreenLine(Task):
    """A rope along a line."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'lay the rope along the green line'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        length = 2 * 0.005 * 20 * np.sqrt(2)
        pose = self.get_random_pose(env, (length, 0.03, 0.001))
        env.add_object(self.fill_template('line/line-template.urdf', {'DIM': (length, 0.01, 0.001)}), pose, 'fixed')
        corners = [utils.apply(pose, (length / 2, 0, 0)), utils.apply(pose, (-length / 2, 0, 0))]
        objs, targs, matches = self.make_ropes(env, corners)
        self.add_goal(objs=objs, matches=matches, targ_poses=targs, replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, symmetries=[0] * len(objs), language_goal=self.lang_template)
