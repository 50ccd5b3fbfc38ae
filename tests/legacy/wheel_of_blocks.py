import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class WheelOfBlocks(Task):
    """Blocks in a circle round a centre block."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'arrange the blue blocks in a circle around the red block'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        center_pose = self.get_random_pose(env, (0.3, 0.3, 0.04))
        env.add_object('block/block.urdf', center_pose, 'fixed', color=utils.COLORS['red'])
        blocks, spots = [], []
        for k in range(6):
            blocks.append(env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS['blue']))
            a = k * np.pi / 3
            spots.append((utils.apply(center_pose, (0.1 * np.cos(a), 0.1 * np.sin(a), 0)), center_pose[1]))
        self.add_goal(objs=blocks, matches=np.ones((6, 6)), targ_poses=spots, replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, symmetries=[np.pi / 2] * 6, language_goal=self.lang_template)
