"""Stack a staircase of blocks inside a container."""

from gensim_envs.api import Block, Container, Scene, Task, line, stack

BLOCK = 0.04  # metres
PITCH = 0.045  # metres between neighbouring columns
BIN = (4 * PITCH + 0.015, BLOCK + 0.02, 0.05)  # metres
COUNTS = ("four", "three", "two", "one")


class StackBlocksInContainer(Task):
    """Stack columns of four, three, two and one block side by side in a container."""

    def build(self, scene: Scene) -> None:
        tin, *colors = scene.colors(5)
        bin = scene.add(Container(tin, extents=BIN))
        feet = line(bin.pose.up(bin.asset.WALL), len(colors), PITCH)

        for k, (foot, color, word) in enumerate(zip(feet, colors, COUNTS)):
            blocks = scene.add(Block(color), count=4 - k)
            where = "at one end of" if k == 0 else "beside the last column in"
            scene.goal(
                f"stack {word} {blocks} as a column {where} the {bin}",
                blocks,
                at=stack(foot, 4 - k, BLOCK),
            )
