import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class BowlOnPallet(Task):
    """A bowl onto a pallet, then a ball into it."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'put the bowl on the pallet and the ball into the bowl'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        pallet_pose = self.get_random_pose(env, (0.3, 0.25, 0.04))
        env.add_object('pallet/pallet.urdf', pallet_pose, 'fixed')
        bowl = env.add_object('bowl/bowl.urdf', self.get_random_pose(env, (0.12, 0.12, 0)))
        ball = env.add_object('ball/ball-template.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS['blue'])
        spot = (utils.apply(pallet_pose, (0, 0, 0.02)), pallet_pose[1])
        self.add_goal(objs=[bowl], matches=np.ones((1, 1)), targ_poses=[spot], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, symmetries=[0], language_goal=self.lang_template)
        self.add_goal(objs=[ball], matches=np.ones((1, 1)), targ_poses=[spot], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, symmetries=[0], language_goal=self.lang_template)
