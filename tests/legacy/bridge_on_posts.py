import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class BridgeOnPosts(Task):
    """A bridge: two posts and a plank."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'build a bridge'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        pose = self.get_random_pose(env, (0.25, 0.25, 0.01))
        posts = [env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS['brown']) for _ in range(2)]
        plank = env.add_object(self.fill_template('box/box-template.urdf', {'DIM': (0.14, 0.04, 0.02)}), self.get_random_pose(env, (0.14, 0.04, 0.02)), color=utils.COLORS['brown'])
        spots = [(utils.apply(pose, (x, 0, 0.02)), pose[1]) for x in (-0.05, 0.05)]
        self.add_goal(objs=posts, matches=np.ones((2, 2)), targ_poses=spots, replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, symmetries=[np.pi / 2] * 2, language_goal=self.lang_template)
        self.add_goal(objs=[plank], matches=np.ones((1, 1)), targ_poses=[(utils.apply(pose, (0, 0, 0.05)), pose[1])], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, symmetries=[np.pi], language_goal=self.lang_template)
