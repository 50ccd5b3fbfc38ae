import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class SortByColorBowls(Task):
    """Blocks into bowls of their colour."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'put the {color} blocks in the {color} bowl'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        size = (0.04, 0.04, 0.04)
        for name in ['red', 'blue']:
            bowl_pose = self.get_random_pose(env, (0.12, 0.12, 0))
            env.add_object('bowl/bowl.urdf', bowl_pose, 'fixed', color=utils.COLORS[name])
            blocks = [env.add_object('block/block.urdf', self.get_random_pose(env, size), color=utils.COLORS[name]) for _ in range(2)]
            self.add_goal(objs=blocks, matches=np.ones((2, 1)), targ_poses=[bowl_pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1 / 2, symmetries=[np.pi / 2] * 2, language_goal=self.lang_template.format(color=name))
