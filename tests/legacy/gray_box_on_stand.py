import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class GrayBoxOnStand(Task):
    """A wide box on a stand, half over the edge."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'put the gray boxes on the stand'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        stand_pose = self.get_random_pose(env, (0.05, 0.15, 0.005))
        env.add_object('stacking/stand.urdf', stand_pose, 'fixed')
        boxes, spots = [], []
        for k in range(2):
            box = self.fill_template('box/box-template.urdf', {'DIM': (0.06, 0.05, 0.04)})
            boxes.append(env.add_object(box, self.get_random_pose(env, (0.06, 0.05, 0.04)), color=utils.COLORS['gray']))
            spots.append((utils.apply(stand_pose, (0, 0.045 * (2 * k - 1), 0.03)), stand_pose[1]))
        self.add_goal(objs=boxes, matches=np.ones((2, 2)), targ_poses=spots, replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, symmetries=[np.pi] * 2, language_goal=self.lang_template)
