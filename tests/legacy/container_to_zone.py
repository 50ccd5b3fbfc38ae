import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class ContainerToZone(Task):
    """A loaded container into a zone."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'put the blocks in the container and the container in the zone'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        zone_pose = self.get_random_pose(env, (0.12, 0.12, 0))
        env.add_object('zone/zone.urdf', zone_pose, 'fixed')
        size = (0.1, 0.1, 0.04)
        container_pose = self.get_random_pose(env, size)
        container = env.add_object(self.fill_template('container/container-template.urdf', {'DIM': size, 'HALF': (0.05, 0.05, 0.02)}), container_pose)
        blocks = [env.add_object('block/block.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS['blue']) for _ in range(2)]
        self.add_goal(objs=blocks, matches=np.ones((2, 1)), targ_poses=[container_pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, symmetries=[np.pi / 2] * 2, language_goal='put the blue blocks in the container')
        self.add_goal(objs=[container], matches=np.ones((1, 1)), targ_poses=[zone_pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.5, symmetries=[np.pi / 2], language_goal='put the container in the zone')
