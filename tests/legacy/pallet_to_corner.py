import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class PalletToCorner(Task):
    """A block from a pallet into a corner."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'move the block from the pallet to the corner'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        pallet_pose = self.get_random_pose(env, (0.3, 0.25, 0.04))
        env.add_object('pallet/pallet.urdf', pallet_pose, 'fixed')
        block = env.add_object('block/block.urdf', (utils.apply(pallet_pose, (0, 0, 0.06)), pallet_pose[1]), color=utils.COLORS['red'])
        corner_pose = self.get_random_pose(env, (0.15, 0.15, 0))
        env.add_object('corner/corner-template.urdf', corner_pose, 'fixed')
        self.add_goal(objs=[block], matches=np.ones((1, 1)), targ_poses=[corner_pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, symmetries=[np.pi / 2], language_goal=self.lang_template)
