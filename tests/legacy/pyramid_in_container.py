import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class PyramidInContainer(Task):
    """A pyramid of blocks beside a container that holds a ball."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'stack the blocks as a pyramid on the pallet, then put the ball into the container'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        pallet_pose = self.get_random_pose(env, (0.35, 0.35, 0.01))
        env.add_object('pallet/pallet.urdf', pallet_pose, 'fixed')
        container_pose = self.get_random_pose(env, (0.12, 0.12, 0.05))
        container = self.fill_template('container/container-template.urdf', {'DIM': (0.12, 0.12, 0.05), 'HALF': (0.06, 0.06, 0.025)})
        env.add_object(container, container_pose, 'fixed')
        block_size = (0.04, 0.04, 0.04)
        blocks = [env.add_object('block/block.urdf', self.get_random_pose(env, block_size), color=utils.COLORS[n]) for n in ['red', 'blue', 'green']]
        ball = env.add_object('ball/ball-template.urdf', self.get_random_pose(env, (0.04, 0.04, 0.04)), color=utils.COLORS['brown'])
        spots = [(utils.apply(pallet_pose, p), pallet_pose[1]) for p in [(0, -0.022, 0.04), (0, 0.022, 0.04), (0, 0, 0.08)]]
        self.add_goal(objs=blocks[:2], matches=np.ones((2, 2)), targ_poses=spots[:2], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.4, symmetries=[np.pi / 2] * 2, language_goal='put the red and blue blocks side by side on the pallet')
        self.add_goal(objs=[blocks[2]], matches=np.ones((1, 1)), targ_poses=[spots[2]], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.3, symmetries=[np.pi / 2], language_goal='place the green block on top of the red and blue blocks')
        self.add_goal(objs=[ball], matches=np.ones((1, 1)), targ_poses=[container_pose], replace=False, rotations=True, metric='pose', params=None, step_max_reward=0.3, symmetries=[0], language_goal='put the brown ball into the container')
