"""Lay two circles round one middle, the outer one on the gaps of the inner one."""

import math

from gensim_envs.api import Cylinder, Disk, Scene, Task, ring

COUNT = 5
INNER = 0.065  # metres, radius of the circle of disks
OUTER = 0.125  # metres, radius of the circle of cylinders
DISK = 0.055  # metres across
PILLAR = 0.035


class BuildTwoCircles(Task):
    """Lay a circle of five disks, then a wider circle of five cylinders round it."""

    def build(self, scene: Scene) -> None:
        metal, wood = scene.colors(2)
        middle = scene.reserve(radius=OUTER + PILLAR / 2 + 0.01)
        disks = scene.add(Disk(metal, diameter=DISK), count=COUNT)
        cylinders = scene.add(Cylinder(wood, diameter=PILLAR, length=0.05), count=COUNT)
        half_step = math.pi / COUNT

        scene.goal(f"lay the five {disks} in a circle", disks, at=ring(middle, COUNT, radius=INNER))
        scene.goal(
            f"stand the five {cylinders} in a wider circle round them, behind the gaps",
            cylinders,
            at=ring(middle.turned(half_step), COUNT, radius=OUTER),
        )
