import numpy as np
import os
import pybullet as p
import random
from cliport.tasks import primitives
from cliport.tasks.grippers import Spatula
from cliport.tasks.task import Task
from cliport.utils import utils


class CarOfParts(Task):
    """A car: chassis, body, wheels."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = "assemble the car: {part}"
        self.task_completed_desc = "finished."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        base_pose = self.get_random_pose(env, (0.12, 0.08, 0.02))
        chassis = self.fill_template('box/box-template.urdf', {'DIM': (0.12, 0.08, 0.02), 'COLOR': utils.COLORS['blue']})
        env.add_object(chassis, base_pose)
        body = env.add_object(self.fill_template('box/box-template.urdf', {'DIM': (0.08, 0.06, 0.03), 'COLOR': utils.COLORS['red']}), self.get_random_pose(env, (0.08, 0.06, 0.03)))
        wheels = []
        wheel_poses = []
        for x, y in [(0.05, 0.07), (0.05, -0.07), (-0.05, 0.07), (-0.05, -0.07)]:
            wheels.append(env.add_object(self.fill_template('cylinder/cylinder-template.urdf', {'DIM': (0.02, 0.02, 0.02)}), self.get_random_pose(env, (0.04, 0.04, 0.02)), color=utils.COLORS['gray']))
            wheel_poses.append((utils.apply(base_pose, (x, y, -0.01)), base_pose[1]))
        self.add_goal(objs=[body], matches=np.ones((1, 1)), targ_poses=[(utils.apply(base_pose, (0, 0, 0.03)), base_pose[1])], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, symmetries=[np.pi], language_goal='put the red box on the blue box')
        self.add_goal(objs=wheels, matches=np.ones((4, 4)), targ_poses=wheel_poses, replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, language_goal=self.lang_template.format(part='put the four gray cylinders beside the chassis'))
