import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class SixBlockPyramid(Task):
    """A pyramid of six blocks of three colours."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'make the {row} row with {blocks}'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        base_size = (0.05, 0.15, 0.005)
        base_pose = self.get_random_pose(env, base_size)
        env.add_object('stacking/stand.urdf', base_pose, category='fixed')
        tints = [utils.COLORS['green'], utils.COLORS['blue'], utils.COLORS['purple'], utils.COLORS['yellow'], utils.COLORS['red'], utils.COLORS['orange']]
        objs = [env.add_object('stacking/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=t) for t in tints]
        places = [(0, -0.05, 0.03), (0, 0, 0.03), (0, 0.05, 0.03), (0, -0.025, 0.08), (0, 0.025, 0.08), (0, 0, 0.13)]
        targs = [(utils.apply(base_pose, p), base_pose[1]) for p in places]
        self.add_goal(objs=objs[:3], matches=np.ones((3, 3)), targ_poses=targs[:3], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1 / 2, symmetries=[np.pi / 2] * 3, language_goal=self.lang_template.format(blocks='the green, blue and purple blocks', row='bottom'))
        self.add_goal(objs=objs[3:5], matches=np.ones((2, 2)), targ_poses=targs[3:5], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1 / 3, symmetries=[np.pi / 2] * 2, language_goal=self.lang_template.format(blocks='the yellow and red blocks', row='middle'))
        self.add_goal(objs=objs[5:], matches=np.ones((1, 1)), targ_poses=targs[5:], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1 / 6, symmetries=[np.pi / 2], language_goal=self.lang_template.format(blocks='the orange block', row='top'))
