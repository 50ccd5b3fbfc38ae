import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class DictOfThings(Task):
    """Dictionaries of objects."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "put the {c} {k} in the zone"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        sizes = {'box': (0.06, 0.05, 0.04), 'cylinder': (0.04, 0.04, 0.05)}
        urdfs = {'box': 'box/box-template.urdf', 'cylinder': 'cylinder/cylinder-template.urdf'}
        things = {}
        zones = {}
        for name, tint in {'box': 'red', 'cylinder': 'blue'}.items():
            zones[name] = self.get_random_pose(env, (0.12, 0.12, 0))
            env.add_object('zone/zone.urdf', zones[name], 'fixed', color=utils.COLORS['yellow' if name == 'box' else 'green'])
            things[name] = env.add_object(urdfs[name], self.get_random_pose(env, sizes[name]), color=utils.COLORS[tint])
        for name in things:
            self.add_goal(objs=[things[name]], matches=np.ones((1, 1)), targ_poses=[zones[name]], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1 / 2, language_goal=f'put the {name} in the zone')
