import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class EllOnPallet(Task):
    """An ell onto a pallet."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'move the ell onto the pallet'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        pallet_pose = self.get_random_pose(env, (0.3, 0.25, 0.04))
        env.add_object('pallet/pallet.urdf', pallet_pose, 'fixed')
        ell = env.add_object('insertion/ell.urdf', self.get_random_pose(env, (0.1, 0.1, 0.04)), color=utils.COLORS['brown'])
        self.add_goal(objs=[ell], matches=np.ones((1, 1)), targ_poses=[(utils.apply(pallet_pose, (0, 0, 0.04)), pallet_pose[1])], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, symmetries=[2 * np.pi], language_goal=self.lang_template)
