import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class RingOfCylinders(Task):
    """Cylinders round a zone, in world axes."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'set the cylinders round the zone'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        zone_pose = self.get_random_pose(env, (0.3, 0.3, 0))
        env.add_object('zone/zone.urdf', zone_pose, 'fixed')
        cyls, spots = [], []
        for k in range(4):
            cyls.append(env.add_object('cylinder/cylinder-template.urdf', self.get_random_pose(env, (0.04, 0.04, 0.05)), color=utils.COLORS['yellow']))
            x, y, z = zone_pose[0]
            spots.append(((x + 0.1 * np.cos(k * np.pi / 2), y + 0.1 * np.sin(k * np.pi / 2), 0.025), zone_pose[1]))
        self.add_goal(objs=cyls, matches=np.ones((4, 4)), targ_poses=spots, replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, symmetries=[0] * 4, language_goal=self.lang_template)
