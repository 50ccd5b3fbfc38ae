import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class CylinderColumnOnBlock(Task):
    """Cylinders on a block."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'stack the {} cylinder on the {}'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        block = env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS['gray'])
        pallet_pose = self.get_random_pose(env, (0.3, 0.25, 0.04))
        env.add_object('pallet/pallet.urdf', pallet_pose, 'fixed')
        size = (0.04, 0.04, 0.05)
        cyls = []
        for name in ('blue', 'red'):
            cyls.append(env.add_object('cylinder/cylinder-template.urdf', self.get_random_pose(env, size), color=utils.COLORS[name]))
        self.add_goal(objs=[block], matches=np.ones((1, 1)), targ_poses=[pallet_pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1 / 3, symmetries=[np.pi / 2], language_goal='put the gray block on the pallet')
        self.add_goal(objs=[cyls[0]], matches=np.ones((1, 1)), targ_poses=[(utils.apply(pallet_pose, (0, 0, 0.06)), pallet_pose[1])], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1 / 3, symmetries=[0], language_goal=self.lang_template.format('blue', 'gray block'))
        self.add_goal(objs=[cyls[1]], matches=np.ones((1, 1)), targ_poses=[(utils.apply(pallet_pose, (0, 0, 0.1)), pallet_pose[1])], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1 / 3, symmetries=[0], language_goal=self.lang_template.format('red', 'blue cylinder'))
