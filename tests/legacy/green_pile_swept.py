import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class GreenPileSwept(Task):
    """A green pile into a green zone."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'push the pile of green blocks into the zone'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        zone_pose = self.get_random_pose(env, (0.12, 0.12, 0))
        env.add_object('zone/zone.urdf', zone_pose, 'fixed')
        self.num_blocks = 30
        objs = self.make_piles(env, block_color=utils.COLORS['green'])
        self.add_goal(objs=objs, matches=np.ones((len(objs), 1)), targ_poses=[zone_pose], replace=True, rotations=False, metric='zone', params=[(zone_pose, (0.12, 0.12, 0))], step_max_reward=1, symmetries=[0], language_goal=self.lang_template)
