import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class BallOnBareSpot(Task):
    """A ball to a free spot."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'bring the ball to the target spot'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        ball = env.add_object('ball/ball-template.urdf', self.get_random_pose(env, (0.05, 0.05, 0.05)), color=utils.COLORS['purple'])
        spot = self.get_random_pose(env, (0.1, 0.1, 0))
        self.add_goal(objs=[ball], matches=np.ones((1, 1)), targ_poses=[spot], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, symmetries=[0], language_goal=self.lang_template)
