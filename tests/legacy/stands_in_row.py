import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class StandsInRow(Task):
    """Blocks on three stands."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'place the {c} block on the {s} stand'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        poses = []
        for name in ['red', 'green', 'blue']:
            pose = self.get_random_pose(env, (0.06, 0.16, 0.01))
            env.add_object('stacking/stand.urdf', pose, 'fixed', color=utils.COLORS[name])
            poses.append(pose)
        for k, name in enumerate(['yellow', 'purple', 'orange']):
            block = env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS[name])
            self.add_goal(objs=[block], matches=np.ones((1, 1)), targ_poses=[poses[k]], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1 / 3, symmetries=[np.pi / 2], language_goal=self.lang_template.format(c=name, s=['red', 'green', 'blue'][k]))
