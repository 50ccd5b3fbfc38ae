import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class LineUpBalls(Task):
    """Balls along a line."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "put the blue balls along the green line"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        line = self.fill_template('line/line-template.urdf', {'DIM': (0.3,)})
        line_pose = self.get_random_pose(env, (0.3, 0.05, 0))
        env.add_object(line, line_pose, 'fixed')
        balls = []
        spots = []
        for n in range(3):
            balls.append(env.add_object('ball/ball-template.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS['blue']))
            spots.append((utils.apply(line_pose, (-0.1 + 0.1 * n, 0, 0.02)), line_pose[1]))
        self.add_goal(objs=balls, matches=np.ones((3, 3)), targ_poses=spots, replace=False, rotations=False, metric='pose', params=None, step_max_reward=1, symmetries=[0] * 3, language_goal=self.lang_template)
