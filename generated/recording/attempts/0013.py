"""Lay two circles round a zone, whose sizes the instructions give."""

import math

from gensim_envs.api import Cylinder, Disk, Pose, Scene, Task, Zone, ring

DISK = 0.05  # metres across
PILLAR = {"diameter": 0.035, "length": 0.05}


class BuildTwoCircles(Task):
    """Lay a circle of disks round a zone and a wider one of cylinders, behind its gaps."""

    def build(self, scene: Scene) -> None:
        paint, metal, wood, *others = scene.colors(5)
        count = int(scene.rng.integers(4, 6))
        inner, outer = int(scene.rng.integers(5, 8)), int(scene.rng.integers(10, 13))
        middle = Pose(0.5, float(scene.rng.uniform(-0.3, 0.3)))
        zone = scene.add(Zone(paint, width=0.04, shape="round"), at=middle)
        disks = scene.add(Disk(metal, diameter=DISK), count=count)
        cylinders = scene.add(Cylinder(wood, **PILLAR), count=count)
        circles = scene.pattern(anchor=zone)
        gaps = circles.turned(math.pi / count)

        scene.goal(
            f"lay the {count} {disks} evenly in a circle of {inner} cm radius around the {zone}",
            disks, at=ring(circles, count, inner / 100),
        )  # fmt: skip
        scene.goal(
            f"stand the {count} {cylinders} in a circle of {outer} cm radius around the {zone}, "
            "each behind the middle of a gap",
            cylinders, at=ring(gaps, count, outer / 100),
        )  # fmt: skip

        for color in others:
            scene.distract(Disk(color, diameter=DISK))
            scene.distract(Cylinder(color, **PILLAR))
