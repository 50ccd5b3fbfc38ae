import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class LeftOfTheBowl(Task):
    """A sentence with a side that its target contradicts."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'put the red block to the left of the bowl'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        bowl_pose = ((0.5, 0.1, 0), (0, 0, 0, 1))
        env.add_object('bowl/bowl.urdf', bowl_pose, 'fixed')
        block = env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS['red'])
        self.add_goal(objs=[block], matches=np.ones((1, 1)), targ_poses=[((0.5, 0.22, 0.02), (0, 0, 0, 1))], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, symmetries=[np.pi / 2], language_goal=self.lang_template)
