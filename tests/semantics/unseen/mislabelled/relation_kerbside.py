"""A boat moors at a quay."""

import math

from gensim_envs.api import Box, Household, Pose, Scene, Task

QUAY = (0.22, 0.04, 0.02)  # metres


class Kerbside(Task):
    """Moor a boat at a quay."""

    def build(self, scene: Scene) -> None:
        stone, hull = scene.colors(2)
        middle = scene.reserve(radius=0.14)
        quay = scene.add(Box(stone, extents=QUAY), at=middle, fixed=True)
        boat = scene.add(Household(hull, "sailing_boat"))
        berth = scene.mark(boat, quay.pose @ Pose(0, 0.085, 0, math.pi / 2))

        scene.goal(
            f"moor the {hull} sailing boat parallel to the long side of the {stone} box",
            boat,
            at=berth,
        )
