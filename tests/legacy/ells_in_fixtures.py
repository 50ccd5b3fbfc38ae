import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class EllsInFixtures(Task):
    """Ells into fixtures."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'put the L-shaped blocks in the fixtures'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        ells, poses = [], []
        for name in ('red', 'blue'):
            pose = self.get_random_pose(env, (0.12, 0.12, 0))
            env.add_object('insertion/fixture.urdf', pose, 'fixed')
            poses.append(pose)
            ells.append(env.add_object('insertion/ell.urdf', self.get_random_pose(env, (0.1, 0.1, 0.04)), color=utils.COLORS[name]))
        self.add_goal(objs=ells, matches=np.ones((2, 2)), targ_poses=poses, replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, symmetries=[2 * np.pi] * 2, language_goal=self.lang_template)
