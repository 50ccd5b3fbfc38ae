import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class RandomBlockOnZone(Task):
    """A block of a drawn colour onto the green zone."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'move the {} block to the zone'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        colors, names = utils.get_colors(mode=self.mode)
        zone_pose = self.get_random_pose(env, (0.12, 0.12, 0))
        env.add_object('zone/zone.urdf', zone_pose, 'fixed')
        pick = np.random.randint(len(names))
        block = env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=colors[pick])
        self.add_goal(objs=[block], matches=np.ones((1, 1)), targ_poses=[zone_pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, symmetries=[np.pi / 2], language_goal=self.lang_template.format(names[pick]))
