"""Set up a game of ring toss: a rope as the line to throw from, and a ring over each peg."""

from gensim_envs.api import Disk, Line, PegStand, Rope, Scene, Task

LENGTH = 0.225  # metres, of the lines
PEGS = ("light", "middle", "dark")
BARE = ("black", "gray", "white")  # on boards of these colours a peg is hardly seen
SIZES = (0.065, 0.085, 0.105)  # metres across


class SetUpTheRingToss(Task):
    """Lay a rope along the line to throw from, then put the named ring over each peg."""

    def build(self, scene: Scene) -> None:
        (wood,) = scene.colors(1, exclude=BARE)
        cord, paint, *hoops = scene.colors(6, exclude=[wood])
        board = scene.add(PegStand(wood))
        line = scene.add(Line(paint, length=LENGTH))
        scene.add(Line(hoops[3], length=LENGTH))
        rope = scene.add(Rope(cord))
        rings = [
            scene.add(Disk(color, diameter=float(size)))
            for color, size in zip(hoops, scene.rng.permutation(SIZES))
        ]

        scene.goal(f"lay the {rope} along the {paint} line to throw from", rope, along=line)
        for k in scene.rng.permutation(3):
            scene.goal(
                f"put the {hoops[k]} ring over the {PEGS[k]} peg of the {wood} board",
                rings[k], at=board.pose @ board.asset.peg(int(k)),
            )  # fmt: skip

        scene.distract(Disk(hoops[3], diameter=SIZES[1]))
