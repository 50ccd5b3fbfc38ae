"""Set up a game of ring toss: a rope as the line to throw from, and a ring over each peg."""

from gensim_envs.api import Disk, PegStand, Pose, Rope, Scene, Task

LINE = 0.113  # metres from the middle of the line to each of its ends
AWAY = 0.13  # metres from the board to the line
SMALL = 0.06  # metres across
LARGE = 0.09  # metres across


class SetUpTheRingToss(Task):
    """Lay a rope in front of the pegs, then put a ring over each, the largest in the middle."""

    def build(self, scene: Scene) -> None:
        wood, cord, first, second = scene.colors(4)
        x, y = scene.rng.uniform((0.33, -0.28), (0.52, 0.28))
        board = scene.add(PegStand(wood), at=Pose(x, y, 0, 1.5708))
        rope = scene.add(Rope(cord))
        smalls = scene.add(Disk(first, diameter=SMALL), count=2)
        large = scene.add(Disk(second, diameter=LARGE))
        ends = [board.pose @ Pose(side * LINE, -AWAY) for side in (-1, 1)]
        pegs = [board.pose @ board.asset.peg(k) for k in range(3)]

        scene.goal(f"lay the {rope} straight in front of the {board}", rope, along=ends)
        scene.goal(
            f"put the two {first} rings over the light and the dark peg", smalls,
            at=[pegs[0], pegs[2]],
        )
        scene.goal(f"put the large {second} ring over the middle peg", large, at=pegs[1])
