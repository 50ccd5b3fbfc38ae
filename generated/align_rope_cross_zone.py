"""Halve a round zone with a rope and put a disk into each half."""

from gensim_envs.api import Disk, Pose, Rope, Scene, Stand, Task, Zone

POST = 0.14  # metres from the middle of the zone to a stand
HEART = 0.045  # metres from the rope to the middle of a half


class AlignRopeCrossZone(Task):
    """Lay a rope across a zone from stand to stand and put a disk in the middle of each half."""

    def build(self, scene: Scene) -> None:
        paint, wood, cord, metal = scene.colors(4)
        half = Rope.LENGTH / 2 - 0.001
        middle = scene.reserve(radius=0.165)
        zone = scene.add(Zone(paint, width=0.20, shape="round"), at=middle)
        for x in (-POST, POST):
            scene.add(Stand(wood, extents=(0.03, 0.06, 0.02)), at=middle @ Pose(x, 0))
        rope = scene.add(Rope(cord))
        disks = scene.add(Disk(metal, 0.06), count=2)
        ends = [zone.pose @ Pose(x, 0) for x in (-half, half)]
        halves = [zone.pose @ Pose(0, y) for y in (-HEART, HEART)]

        scene.goal(
            f"lay the {rope} straight across the {zone} from one stand to the other",
            rope,
            along=ends,
        )
        scene.goal(f"put a {metal} disk in the middle of each half of the {zone}", disks, at=halves)
