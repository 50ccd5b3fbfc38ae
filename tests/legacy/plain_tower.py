import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class PlainTower(Task):
    """A tower of equal cubes."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'stack the cubes on top of each other'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        size = (0.04, 0.04, 0.04)
        base_pose = self.get_random_pose(env, (0.05, 0.15, 0.005))
        env.add_object('stacking/stand.urdf', base_pose, 'fixed')
        cubes = []
        for _ in range(4):
            cubes.append(env.add_object('stacking/block.urdf', self.get_random_pose(env, size)))
        for i, cube in enumerate(cubes):
            spot = (utils.apply(base_pose, (0, 0, 0.02 + i * 0.04)), base_pose[1])
            self.add_goal(objs=[cube], matches=np.ones((1, 1)), targ_poses=[spot], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.25, symmetries=[np.pi / 2], language_goal=self.lang_template)
