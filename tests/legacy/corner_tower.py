import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class CornerTower(Task):
    """A tower of two blocks in a corner."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'construct the corner building with a {} block'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        corner_pose = self.get_random_pose(env, (0.15, 0.15, 0.05))
        env.add_object('corner/corner-template.urdf', corner_pose, 'fixed')
        blocks = [env.add_object('block/block_for_anchors.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS[n]) for n in ('red', 'yellow')]
        for k, name in enumerate(('red', 'yellow')):
            spot = (utils.apply(corner_pose, (0, 0, 0.02 + 0.04 * k)), corner_pose[1])
            self.add_goal(objs=[blocks[k]], matches=np.ones((1, 1)), targ_poses=[spot], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, symmetries=[np.pi / 2], language_goal=self.lang_template.format(name))
