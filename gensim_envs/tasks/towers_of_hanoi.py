"""The Tower of Hanoi with three disks."""

from gensim_envs.api import Disk, PegStand, Scene, Task

DIAMETERS = (0.105, 0.085, 0.065)  # metres, largest first
MOVES = (  # disk, where to, how many disks are there by then
    (2, "end", 0), (1, "spare", 0), (2, "spare", 1), (0, "end", 0),
    (2, "start", 0), (1, "end", 1), (2, "end", 2),
)  # fmt: skip
PEGS = {"start": 0, "spare": 1, "end": 2}


class TowersOfHanoi(Task):
    """Move the tower from the light peg to the dark one, never a larger disk on a smaller one."""

    def build(self, scene: Scene) -> None:
        board, *colors = scene.colors(4)
        stand = scene.add(PegStand(board))
        disks = [
            scene.add(Disk(color, diameter), at=stand.pose @ stand.asset.peg(0, level=level))
            for level, (color, diameter) in enumerate(zip(colors, DIAMETERS, strict=True))
        ]

        for level, disk in enumerate(disks):
            scene.goal(
                "move the tower of disks from the light peg to the dark peg, where it is built up "
                "disk by disk, and never put a larger disk on a smaller one",
                disk,
                at=stand.pose @ stand.asset.peg(PEGS["end"], level=level),
            )
        scene.ordered()
        scene.stays_on(disks, stand)
        scene.never_on(disks[0], disks[1:])
        scene.never_on(disks[1], disks[2])

        for number, peg, level in MOVES:
            scene.plan(disks[number], at=stand.pose @ stand.asset.peg(PEGS[peg], level=level))
