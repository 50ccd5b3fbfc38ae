import numpy as np
from cliport.tasks.task import Task
from cliport.utils import utils


class BrownBoxesPacked(Task):
    """Pack brown boxes into a brown container."""

    def __init__(self):
        super().__init__()
        self.max_steps = 12
        self.lang_template = 'pack the brown boxes in the container'
        self.task_completed_desc = "done."
        self.additional_reset()

    def reset(self, env):
        super().reset(env)
        size = (0.16, 0.12, 0.06)
        container_pose = self.get_random_pose(env, size)
        urdf = self.fill_template('container/container-template.urdf', {'DIM': size, 'HALF': (0.08, 0.06, 0.03)})
        env.add_object(urdf, container_pose, 'fixed')
        boxes, spots = [], []
        for i in range(4):
            box = self.fill_template('box/box-template.urdf', {'DIM': (0.05, 0.04, 0.04)})
            boxes.append(env.add_object(box, self.get_random_pose(env, (0.05, 0.04, 0.04)), color=utils.COLORS['brown']))
            spots.append((utils.apply(container_pose, (0.03 * (2 * (i % 2) - 1), 0.025 * (2 * (i // 2) - 1), 0)), container_pose[1]))
        self.add_goal(objs=boxes, matches=np.ones((4, 4)), targ_poses=spots, replace=False, rotations=True, metric='pose', params=None, step_max_reward=1, symmetries=[np.pi] * 4, language_goal=self.lang_template)
