import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class EllsInZones(Task):
    """Ells to zones and containers."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "place the {c} L shaped block in the {c} zone"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        for c in ['red', 'yellow']:
            zone_pose = self.get_random_pose(env, (0.12, 0.12, 0))
            env.add_object('zone/zone.urdf', zone_pose, 'fixed', color=utils.COLORS[c])
            ell = env.add_object('insertion/ell.urdf', self.get_random_pose(env, (0.1, 0.1, 0.04)), color=utils.COLORS[c])
            self.add_goal(objs=[ell], matches=np.ones((1, 1)), targ_poses=[zone_pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, symmetries=[2 * np.pi], language_goal=self.lang_template.format(c=c))
