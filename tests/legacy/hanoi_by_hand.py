import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class HanoiByHand(Task):
    """Disks of three sizes from stand to stand."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'move the cylinders to the right stand, the small one last'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        left = self.get_random_pose(env, (0.15, 0.15, 0.01))
        env.add_object('stacking/stand.urdf', left, 'fixed')
        right = self.get_random_pose(env, (0.15, 0.15, 0.01))
        env.add_object('stacking/stand.urdf', right, 'fixed')
        disks = []
        for k, (r, name) in enumerate(((0.04, 'red'), (0.03, 'green'), (0.02, 'blue'))):
            urdf = self.fill_template('cylinder/cylinder-template.urdf', {'DIM': (r, r, 0.02)})
            disks.append(env.add_object(urdf, self.get_random_pose(env, (2 * r, 2 * r, 0.02)), color=utils.COLORS[name]))
        for k in range(3):
            self.add_goal(objs=[disks[k]], matches=np.ones((1, 1)), targ_poses=[(utils.apply(right, (0, 0, 0.02 * (k + 1))), right[1])], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1 / 3, symmetries=[0], language_goal=self.lang_template)
