import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class SortThenStack(Task):
    """Sort blocks into a zone, then stack them."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'gather the blocks in the zone, then stack them'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        zone_pose = self.get_random_pose(env, (0.15, 0.15, 0))
        env.add_object('zone/zone.urdf', zone_pose, 'fixed', color=utils.COLORS['blue'])
        blocks = [env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS[n]) for n in ('red', 'green')]
        self.add_goal(objs=[blocks[0]], matches=np.ones((1, 1)), targ_poses=[zone_pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, symmetries=[np.pi / 2], language_goal='first put the red block in the blue zone')
        self.add_goal(objs=[blocks[1]], matches=np.ones((1, 1)), targ_poses=[(utils.apply(zone_pose, (0, 0, 0.06)), zone_pose[1])], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, symmetries=[np.pi / 2], language_goal='then put the green block on top of the red one')
