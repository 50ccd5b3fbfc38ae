import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class GreenBlocksInBowl(Task):
    """Green blocks into a bowl."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'put all the green blocks in the bowl'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        bowl_pose = self.get_random_pose(env, (0.12, 0.12, 0))
        env.add_object('bowl/bowl.urdf', bowl_pose, 'fixed')
        blocks = []
        for _ in range(2):
            blocks.append(env.add_object('block/small.urdf', self.get_random_pose(env, (0.01, 0.01, 0.01)), color=utils.COLORS['green']))
        self.add_goal(objs=blocks, matches=np.ones((2, 1)), targ_poses=[bowl_pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, symmetries=[np.pi / 2] * 2, language_goal=self.lang_template)
