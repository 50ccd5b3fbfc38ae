"""Sort disks by colour onto two pegs, each tower in the order of size that is asked for."""

from gensim_envs.api import Disk, PegStand, Scene, Task

SIZES = (0.105, 0.085, 0.065)  # metres across
BARE = ("black", "gray", "white")  # on boards of these colours a peg is hardly seen
PEGS = ("light", "middle", "dark")


class SortTheDisks(Task):
    """Stack the three disks of each of two colours on the peg that is named for it, by size."""

    def build(self, scene: Scene) -> None:
        (board,) = scene.colors(1, exclude=BARE)
        one, other, spare = scene.colors(3, exclude=[board])
        stand = scene.add(PegStand(board))
        pegs = scene.rng.permutation(3)

        for color, peg in zip((one, other), pegs, strict=False):
            disks = [scene.add(Disk(color, diameter)) for diameter in SIZES]
            order = "largest at the bottom" if scene.rng.random() < 0.5 else "smallest at the bottom"
            if order.startswith("smallest"):
                disks.reverse()
            scene.goal(
                f"stack the three {color} disks on the {PEGS[peg]} peg by size, the {order}",
                disks,
                at=[stand.pose @ stand.asset.peg(int(peg), level=level) for level in range(3)],
            )

        for diameter in SIZES[:2]:
            scene.distract(Disk(spare, diameter))
