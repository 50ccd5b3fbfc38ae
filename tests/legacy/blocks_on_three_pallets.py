import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class BlocksOnThreePallets(Task):
    """Blocks sorted onto pallets."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'put the {} block on its pallet'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        for name in ('red', 'yellow'):
            pose = self.get_random_pose(env, (0.3, 0.25, 0.04))
            env.add_object('pallet/pallet.urdf', pose, 'fixed')
            block = env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS[name])
            self.add_goal(objs=[block], matches=np.ones((1, 1)), targ_poses=[pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, symmetries=[np.pi / 2], language_goal=self.lang_template.format(name))
