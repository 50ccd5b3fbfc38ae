"""Sort six disks by colour onto two pegs, the largest at the bottom."""

from gensim_envs.api import Disk, PegStand, Scene, Task

SIZES = {"large": 0.105, "middle-sized": 0.085, "small": 0.065}  # metres across
PEGS = {"light": 0, "dark": 2}


class SortTheDisks(Task):
    """Put the disks of one colour on the light peg, the others on the dark one, by size."""

    def build(self, scene: Scene) -> None:
        board, *colors = scene.colors(3)
        stand = scene.add(PegStand(board))

        for level, (size, diameter) in enumerate(SIZES.items()):
            for color, (peg, index) in zip(colors, PEGS.items()):
                disk = scene.add(Disk(color, diameter))
                scene.goal(
                    f"put the {size} {disk} on the {peg} peg",
                    disk,
                    at=stand.pose @ stand.asset.peg(index, level=level),
                )
