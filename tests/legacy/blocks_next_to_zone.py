import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class BlocksNextToZone(Task):
    """Blocks left of a zone, at bare places."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'put the blocks beside the green zone'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        zone_pose = self.get_random_pose(env, (0.3, 0.3, 0))
        env.add_object('zone/zone.urdf', zone_pose, 'fixed')
        blocks = [env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS['red']) for _ in range(2)]
        spots = [(utils.apply(zone_pose, (0.1, y, 0.02)), zone_pose[1]) for y in (-0.04, 0.04)]
        self.add_goal(objs=blocks, matches=np.ones((2, 2)), targ_poses=spots, replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, symmetries=[np.pi / 2] * 2, language_goal=self.lang_template)
