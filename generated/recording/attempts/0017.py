"""Cross a round zone with a rope, and crown the stands on either side of it with disks."""

import math

from gensim_envs.api import Disk, Pose, Rope, Scene, Stand, Task, Zone

POST = (0.05, 0.06, 0.02)  # metres


class AlignRopeCrossZone(Task):
    """Lay a rope across a zone between two of four stands, then put a disk on each of the others."""

    def build(self, scene: Scene) -> None:
        paint, one, other, cord, metal, *spare = scene.colors(7)
        middle = scene.reserve(radius=0.18)
        away = (Rope.LENGTH + POST[0] + Rope.BEAD) / 2
        zone = scene.add(Zone(paint, width=0.20, shape="round"), at=middle)
        ends, sides = (
            [
                scene.add(Stand(color, extents=POST), at=middle.turned(turn) @ Pose(away, 0))
                for turn in turns
            ]
            for color, turns in ((one, (0, math.pi)), (other, (math.pi / 2, -math.pi / 2)))
        )
        rope = scene.add(Rope(cord))
        disks = scene.add(Disk(metal, diameter=0.05), count=2)

        scene.goal(
            f"lay the {rope} across the {zone} from one {one} stand to the other",
            rope, along=[ends[0], zone, ends[1]],
        )  # fmt: skip
        scene.goal(f"put a {metal} disk on each {other} stand", disks, on=sides)

        for color in spare:
            scene.distract(Disk(color, diameter=0.05))
