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

class ZonesBetweenBowls(Task):
    """Blocks from bowls into zones."""

    def __init__(self):
        super().__init__()
        self.max_steps = 10
        self.lang_template = "move the {block} block from the bowl to the {zone} zone"
        self.task_completed_desc = "all moved."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        picked = random.sample(['red', 'blue', 'green', 'yellow', 'cyan'], 3)
        bowl_poses, zone_poses, blocks = [], [], []
        for name in picked:
            bowl_pose = self.get_random_pose(env, (0.12, 0.12, 0))
            env.add_object('bowl/bowl.urdf', bowl_pose, 'fixed', color=utils.COLORS['gray'])
            bowl_poses.append(bowl_pose)
        for name in picked:
            zone_pose = self.get_random_pose(env, (0.12, 0.12, 0))
            z = env.add_object('zone/zone.urdf', zone_pose, 'fixed')
            env.set_color(z, utils.COLORS['white'])
            zone_poses.append(zone_pose)
        for name, bowl_pose in zip(picked, bowl_poses):
            blocks.append(env.add_object('block/block.urdf', bowl_pose, color=utils.COLORS[name]))
        for i in range(3):
            self.add_goal(objs=[blocks[i]], matches=np.ones((1, 1)), targ_poses=[zone_poses[i]], replace=False,
                          rotations=True, metric='pose', params=None, step_max_reward=1/3,
                          language_goal=self.lang_template.format(block=picked[i], zone='white'))
