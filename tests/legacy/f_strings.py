import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils
import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils

class FStrings(Task):
    """Sentences from f-strings and joins."""

    def __init__(self):
        super().__init__()
        self.max_steps = 6
        self.lang_template = "put {} in the bowl"
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        bowl_pose = self.get_random_pose(env, (0.12, 0.12, 0))
        bowl = env.add_object('bowl/bowl.urdf', bowl_pose, 'fixed', color=utils.COLORS['cyan'])
        wanted = sorted(['red', 'yellow'], reverse=True)
        things = {name: env.add_object('ball/ball-template.urdf', self.get_random_pose(env, (0.03, 0.03, 0.03)), color=utils.COLORS[name]) for name in wanted}
        extra = [env.add_object('ball/ball-template.urdf', self.get_random_pose(env, (0.03, 0.03, 0.03)), color=utils.COLORS[c]) for c in ('blue', 'gray')]
        text = f"drop the {' and the '.join(wanted)} balls into the cyan bowl, leave the other {len(extra)} alone"
        self.add_goal(objs=list(things.values()), matches=np.ones((2, 2)), targ_poses=[bowl_pose, bowl_pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, language_goal=text)
