import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class BallsByOrder(Task):
    """Balls into containers, in an order."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'put the {ball} ball in the {box} container'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        size = (0.12, 0.12, 0.06)
        pairs = [('yellow', 'blue'), ('red', 'green'), ('blue', 'brown')]
        poses = []
        for _, box in pairs:
            pose = self.get_random_pose(env, size)
            env.add_object(self.fill_template('container/container-template.urdf', {'DIM': size, 'HALF': (0.06, 0.06, 0.03)}), pose, 'fixed', color=utils.COLORS[box])
            poses.append(pose)
        for k, (ball, box) in enumerate(pairs):
            thing = env.add_object('ball/ball-template.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS[ball])
            self.add_goal(objs=[thing], matches=np.ones((1, 1)), targ_poses=[poses[k]], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1 / 3, symmetries=[0], language_goal=self.lang_template.format(ball=ball, box=box))
