import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class KitLettersInBowl(Task):
    """A kit piece into a bowl."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'put the letter in the green bowl'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        bowl_pose = self.get_random_pose(env, (0.12, 0.12, 0))
        env.add_object('bowl/bowl.urdf', bowl_pose, 'fixed', color=utils.COLORS['green'])
        size = (0.06, 0.06, 0.02)
        scale = utils.map_kit_scale((0.03, 0.03, 0.02))
        import os
        shape = os.path.join(self.assets_root, 'kitting', '13.obj')
        piece = env.add_object(self.fill_template('kitting/object-template.urdf', {'FNAME': (shape,), 'SCALE': scale, 'COLOR': utils.COLORS['red']}), self.get_random_pose(env, size))
        self.add_goal(objs=[piece], matches=np.ones((1, 1)), targ_poses=[bowl_pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, symmetries=[2 * np.pi], language_goal=self.lang_template)
