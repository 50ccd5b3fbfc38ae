import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class RedWall(Task):
    """A wall of three layers of red blocks."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'build a wall of three layers with the red blocks on the zone'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        zone_pose = self.get_random_pose(env, (0.15, 0.15, 0))
        env.add_object('zone/zone.urdf', zone_pose, 'fixed')
        size = (0.04, 0.04, 0.04)
        blocks = [env.add_object('block/block.urdf', self.get_random_pose(env, size), color=utils.COLORS['red']) for _ in range(6)]
        for layer in range(3):
            spots = []
            for j in range(2):
                spots.append((utils.apply(zone_pose, (0.025 * (2 * j - 1), 0, 0.02 + 0.04 * layer)), zone_pose[1]))
            self.add_goal(objs=blocks[2 * layer:2 * layer + 2], matches=np.ones((2, 2)), targ_poses=spots, replace=False, rotations=True, metric='pose', params=None, step_max_reward=1 / 3, symmetries=[np.pi / 2] * 2, language_goal=self.lang_template)
