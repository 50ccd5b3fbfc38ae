import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class TriangleOnTable(Task):
    """Three blocks as a triangle on the table."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'arrange the blocks as a triangle'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        blocks, spots = [], []
        for k, name in enumerate(['red', 'green', 'blue']):
            blocks.append(env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS[name]))
            angle = 2 * np.pi * k / 3
            spots.append(((0.5 + 0.08 * np.cos(angle), 0.08 * np.sin(angle), 0.02), (0, 0, 0, 1)))
        self.add_goal(objs=blocks, matches=np.ones((3, 3)), targ_poses=spots, replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, symmetries=[np.pi / 2] * 3, language_goal=self.lang_template)
