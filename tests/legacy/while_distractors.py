import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class WhileDistractors(Task):
    """Bowls and distractors."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "place the {c} bowl on the {c} zone"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        colors, names = [utils.COLORS['cyan']], ['cyan']
        zone_pose = self.get_random_pose(env, (0.12, 0.12, 0))
        env.add_object('zone/zone.urdf', zone_pose, 'fixed', color=colors[0])
        bowl = env.add_object('bowl/bowl.urdf', self.get_random_pose(env, (0.12, 0.12, 0)), color=utils.COLORS['purple'])
        n = 0
        while n < 3:
            env.add_object('block/small.urdf', self.get_random_pose(env, (0.02, 0.02, 0.02)), color=utils.COLORS['white'])
            n += 1
        self.add_goal(objs=[bowl], matches=np.ones((1, 1)), targ_poses=[zone_pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1)
        self.lang_goals.append('put the purple bowl on the cyan zone')
