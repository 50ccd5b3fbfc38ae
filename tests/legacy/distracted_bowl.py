import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class DistractedBowl(Task):
    """One block into one bowl, among others."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'put the red block into the yellow bowl'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        size = (0.04, 0.04, 0.04)
        bowl_pose = self.get_random_pose(env, (0.12, 0.12, 0))
        env.add_object('bowl/bowl.urdf', bowl_pose, 'fixed', color=utils.COLORS['yellow'])
        for name in ('blue', 'gray'):
            env.add_object('bowl/bowl.urdf', self.get_random_pose(env, (0.12, 0.12, 0)), 'fixed', color=utils.COLORS[name])
        block = env.add_object('block/block.urdf', self.get_random_pose(env, size), color=utils.COLORS['red'])
        n = 0
        while n < 4:
            env.add_object('block/block.urdf', self.get_random_pose(env, size), color=utils.COLORS[['green', 'orange', 'purple', 'cyan'][n]])
            n += 1
        self.add_goal(objs=[block], matches=np.ones((1, 1)), targ_poses=[bowl_pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, symmetries=[np.pi / 2], language_goal=self.lang_template)
