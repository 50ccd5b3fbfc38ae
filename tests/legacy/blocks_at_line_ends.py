import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class BlocksAtLineEnds(Task):
    """A block at each end of a line."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'put the blue blocks at the ends of the green line'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        pose = self.get_random_pose(env, (0.2, 0.01, 0.001))
        env.add_object(self.fill_template('line/line-template.urdf', {'DIM': (0.2, 0.01, 0.001)}), pose, 'fixed', color=utils.COLORS['green'])
        blocks = [env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS['blue']) for _ in range(2)]
        ends = [(utils.apply(pose, (x, 0, 0.02)), pose[1]) for x in (-0.1, 0.1)]
        self.add_goal(objs=blocks, matches=np.ones((2, 2)), targ_poses=ends, replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, symmetries=[np.pi / 2] * 2, language_goal=self.lang_template)
