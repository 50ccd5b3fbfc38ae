import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class CastleOfParts(Task):
    """A castle with towers and a roof."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'build a castle out of boxes, cylinders and a block'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        zone_pose = self.get_random_pose(env, (0.2, 0.2, 0))
        env.add_object('zone/zone.urdf', zone_pose, 'fixed')
        wall = self.fill_template('box/box-template.urdf', {'DIM': (0.08, 0.04, 0.04)})
        base = env.add_object(wall, self.get_random_pose(env, (0.08, 0.04, 0.04)), color=utils.COLORS['brown'])
        towers = []
        for _ in range(2):
            cyl = self.fill_template('cylinder/cylinder-template.urdf', {'DIM': (0.015, 0.015, 0.05)})
            towers.append(env.add_object(cyl, self.get_random_pose(env, (0.03, 0.03, 0.05)), color=utils.COLORS['gray']))
        top = env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS['red'])
        self.add_goal(objs=[base], matches=np.ones((1, 1)), targ_poses=[zone_pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.3, symmetries=[np.pi], language_goal='place the brown box in the zone')
        spots = [(utils.apply(zone_pose, (x, 0, 0.06)), zone_pose[1]) for x in (-0.025, 0.025)]
        self.add_goal(objs=towers, matches=np.ones((2, 2)), targ_poses=spots, replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.4, symmetries=[0, 0], language_goal='set the gray cylinders on the brown box')
        self.add_goal(objs=[top], matches=np.ones((1, 1)), targ_poses=[(utils.apply(zone_pose, (0, 0, 0.11)), zone_pose[1])], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.3, symmetries=[np.pi / 2], language_goal='lay the red block on the gray cylinders')
