"""Stack a tower and two short columns of blocks inside a container."""

from gensim_envs.api import Block, Container, Pose, Scene, Task, stack

BLOCK = 0.04  # metres
BIN = (0.19, 0.07, 0.05)  # metres
BESIDE = 0.055  # metres from the middle of the tower to the middle of a column


class StackBlocksInContainer(Task):
    """Stack four blocks in the middle of a container, and two on each side of them."""

    def build(self, scene: Scene) -> None:
        tin, tower, low, high = scene.colors(4)
        bin = scene.add(Container(tin, extents=BIN))
        floor = bin.pose.up(bin.asset.WALL)
        blocks = scene.add(Block(tower), count=4)
        lower = scene.add(Block(low), count=2)
        upper = scene.add(Block(high), count=2)
        sides = [floor @ Pose(x, 0) for x in (-BESIDE, BESIDE)]

        scene.goal(
            f"stack the four {blocks} as a tower in the middle of the {bin}", blocks,
            at=stack(floor, 4, BLOCK),
        )
        scene.goal(
            f"set a {low} block into the {bin} on each side of the tower", lower, at=sides
        )
        scene.goal(f"put a {high} block on each {low} block", upper, on=lower)
