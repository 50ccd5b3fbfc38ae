import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class KitPiecesInZones(Task):
    """Kit shapes to zones."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "put the {shape} into the {color} zone"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        numbers = [2, 10]
        names = ['triangle', 'star']
        tints = ['blue', 'yellow']
        zones = []
        for tint in tints:
            pose = self.get_random_pose(env, (0.12, 0.12, 0))
            env.add_object('zone/zone.urdf', pose, 'fixed', color=utils.COLORS[tint])
            zones.append(pose)
        for number, name, tint, zone in zip(numbers, names, tints, zones):
            fname = os.path.join(self.assets_root, 'kitting', f'{number:02d}.obj')
            urdf = self.fill_template('kitting/object-template.urdf', {'FNAME': (fname,), 'SCALE': [0.003, 0.003, 0.001], 'COLOR': utils.COLORS['red']})
            piece = env.add_object(urdf, self.get_random_pose(env, (0.08, 0.08, 0.02)))
            self.add_goal(objs=[piece], matches=np.ones((1, 1)), targ_poses=[zone], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, language_goal=self.lang_template.format(shape=name, color=tint))
