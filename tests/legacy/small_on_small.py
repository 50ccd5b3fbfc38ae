import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class SmallOnSmall(Task):
    """Small blocks on top of a cylinder."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'put the small block on the cylinder'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        cyl_pose = self.get_random_pose(env, (0.05, 0.05, 0.05))
        env.add_object('cylinder/cylinder-template.urdf', cyl_pose, 'fixed')
        block = env.add_object('block/small.urdf', self.get_random_pose(env, (0.01, 0.01, 0.01)))
        self.add_goal(objs=[block], matches=np.ones((1, 1)), targ_poses=[(utils.apply(cyl_pose, (0, 0, 0.03)), cyl_pose[1])], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, symmetries=[np.pi / 2], language_goal=self.lang_template)
