import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class RandomPairs(Task):
    """A block of a drawn colour into a bowl of another."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'put the {} block in the {} bowl'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        rgb, names = utils.get_colors(self.mode, n_colors=4)
        for k in range(2):
            pose = self.get_random_pose(env, (0.12, 0.12, 0))
            env.add_object('bowl/bowl.urdf', pose, 'fixed', color=rgb[2 + k])
            block = env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=rgb[k])
            self.add_goal(objs=[block], matches=np.ones((1, 1)), targ_poses=[pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, symmetries=[np.pi / 2], language_goal=self.lang_template.format(names[k], names[2 + k]))
