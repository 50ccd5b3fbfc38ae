import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class RandomStack(Task):
    """A stack of blocks of drawn colours on a stand."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'stack the blocks on the stand'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        stand_pose = self.get_random_pose(env, (0.05, 0.15, 0.005))
        env.add_object('stacking/stand.urdf', stand_pose, 'fixed')
        colors, names = utils.get_colors(self.mode)
        blocks = [env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=colors[k]) for k in range(4)]
        for k in range(4):
            self.add_goal(objs=[blocks[k]], matches=np.ones((1, 1)), targ_poses=[(utils.apply(stand_pose, (0, 0, 0.02 + 0.04 * k)), stand_pose[1])], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.25, symmetries=[np.pi / 2], language_goal='put the ' + names[k] + ' block on the ' + (names[k - 1] + ' block' if k else 'stand'))
