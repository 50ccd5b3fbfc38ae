import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class RainbowTower(Task):
    """Stack blocks in the order of the rainbow."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'stack the blocks in rainbow order on the stand'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        stand_pose = self.get_random_pose(env, (0.12, 0.12, 0.03))
        env.add_object('stacking/stand.urdf', stand_pose, 'fixed')
        size = (0.04, 0.04, 0.04)
        names = ['red', 'orange', 'yellow', 'green', 'blue']
        blocks = []
        for name in names:
            blocks.append(env.add_object('block/block.urdf', self.get_random_pose(env, size), color=utils.COLORS[name]))
        for i in range(len(blocks)):
            spot = (utils.apply(stand_pose, (0, 0, 0.03 + 0.04 * i)), stand_pose[1])
            self.add_goal(objs=[blocks[i]], matches=np.ones((1, 1)), targ_poses=[spot], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1 / 5, symmetries=[np.pi / 2], language_goal=self.lang_template)
