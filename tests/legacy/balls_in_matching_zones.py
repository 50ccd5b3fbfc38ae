import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class BallsInMatchingZones(Task):
    """Balls into zones, one pair a colour."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'put the balls in the zones of the matching colors'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        names = ['red', 'yellow', 'blue']
        zones, balls = [], []
        for name in names:
            pose = self.get_random_pose(env, (0.12, 0.12, 0))
            env.add_object('zone/zone.urdf', pose, 'fixed', color=utils.COLORS[name])
            zones.append(pose)
            balls.append(env.add_object('ball/ball-template.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS[name]))
        for k in range(3):
            self.add_goal(objs=[balls[k]], matches=np.ones((1, 1)), targ_poses=[zones[k]], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1 / 3, symmetries=[0], language_goal=self.lang_template)
