import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class GreenRowOnLine(Task):
    """Green blocks on a line."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'line the blocks up on the line'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        pose = self.get_random_pose(env, (0.25, 0.01, 0.001))
        env.add_object(self.fill_template('line/line-template.urdf', {'DIM': (0.25, 0.01, 0.001), 'HALF': (0.125, 0.005, 0.0005)}), pose, 'fixed')
        blocks, spots = [], []
        for i in range(4):
            blocks.append(env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS['green']))
            spots.append((utils.apply(pose, (0.06 * i - 0.09, 0, 0.02)), pose[1]))
        self.add_goal(objs=blocks, matches=np.ones((4, 4)), targ_poses=spots, replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, symmetries=[np.pi / 2] * 4, language_goal=self.lang_template)
