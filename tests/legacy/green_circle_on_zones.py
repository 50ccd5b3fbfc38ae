import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class GreenCircleOnZones(Task):
    """Green things on green zones."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'place each cylinder in one of the zones'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        cyls, zones = [], []
        for k in range(3):
            pose = self.get_random_pose(env, (0.12, 0.12, 0))
            env.add_object('zone/zone.urdf', pose, 'fixed')
            zones.append(pose)
            cyls.append(env.add_object('cylinder/cylinder-template.urdf', self.get_random_pose(env, (0.05, 0.05, 0.05)), color=utils.COLORS['green']))
        self.add_goal(objs=cyls, matches=np.ones((3, 3)), targ_poses=zones, replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, symmetries=[0] * 3, language_goal=self.lang_template)
