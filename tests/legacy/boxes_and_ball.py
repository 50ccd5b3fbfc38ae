import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class BoxesAndBall(Task):
    """Ball on a box on a pallet."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'place the ball in the container on the box'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        box_pose = self.get_random_pose(env, (0.12, 0.12, 0.06))
        env.add_object(self.fill_template('box/box-template.urdf', {'DIM': (0.12, 0.12, 0.06)}), box_pose, color=utils.COLORS['blue'])
        container = env.add_object(self.fill_template('container/container-template.urdf', {'DIM': (0.08, 0.08, 0.04), 'HALF': (0.04, 0.04, 0.02)}), self.get_random_pose(env, (0.08, 0.08, 0.04)), color=utils.COLORS['yellow'])
        ball = env.add_object('ball/ball-template.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS['red'])
        self.add_goal(objs=[container], matches=np.ones((1, 1)), targ_poses=[(utils.apply(box_pose, (0, 0, 0.08)), box_pose[1])], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, symmetries=[np.pi / 2], language_goal=self.lang_template)
        self.add_goal(objs=[ball], matches=np.ones((1, 1)), targ_poses=[(utils.apply(box_pose, (0, 0, 0.08)), box_pose[1])], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, symmetries=[0], language_goal=self.lang_template)
