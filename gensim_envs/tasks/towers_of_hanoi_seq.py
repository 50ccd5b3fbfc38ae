"""The Tower of Hanoi between any two pegs, each move named by colour and peg."""

from gensim_envs.api import Disk, PegStand, Scene, Task

DIAMETERS = (0.105, 0.085, 0.065)  # metres, largest first
MOVES = (  # disk, where to, how many disks are there by then
    (2, "end", 0), (1, "spare", 0), (2, "spare", 1), (0, "end", 0),
    (2, "start", 0), (1, "end", 1), (2, "end", 2),
)  # fmt: skip
NAMES = ("light", "middle", "dark")


class TowersOfHanoiSeq(Task):
    """Move three disks as they are named, never a larger disk on a smaller one."""

    def build(self, scene: Scene) -> None:
        board, *colors = scene.colors(4)
        stand = scene.add(PegStand(board))
        pegs = dict(zip(("start", "spare", "end"), scene.rng.permutation(3).tolist(), strict=True))
        disks = [
            scene.add(
                Disk(color, diameter), at=stand.pose @ stand.asset.peg(pegs["start"], level=level)
            )
            for level, (color, diameter) in enumerate(zip(colors, DIAMETERS, strict=True))
        ]

        scene.stays_on(disks, stand)
        scene.never_on(disks[0], disks[1:])
        scene.never_on(disks[1], disks[2])

        for disk, peg, level in MOVES:
            scene.goal(
                f"move the {disks[disk]} to the {NAMES[pegs[peg]]} peg",
                disks[disk],
                at=stand.pose @ stand.asset.peg(pegs[peg], level=level),
            )
