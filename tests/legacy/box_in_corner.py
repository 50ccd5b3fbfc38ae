import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class BoxInCorner(Task):
    """A box into a corner."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'push the box snugly into the corner'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        box_size = (0.09, 0.07, 0.05)
        box = env.add_object(self.fill_template('box/box-template.urdf', {'DIM': box_size}), self.get_random_pose(env, box_size), color=utils.COLORS['green'])
        corner_pose = self.get_random_pose(env, (box_size[0], box_size[1], 0))
        env.add_object(self.fill_template('corner/corner-template.urdf', {'DIMX': (box_size[0] / 2 - 0.0275 + 0.0025,), 'DIMY': (box_size[1] / 2 + 0.0025,)}), corner_pose, 'fixed')
        self.add_goal(objs=[box], matches=np.ones((1, 1)), targ_poses=[corner_pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, symmetries=[np.pi], language_goal=self.lang_template)
