"""Lay a row of blocks of two colours."""

from gensim_envs.api import Block, Scene, Task, line

APART = 0.05  # metres between the middles of neighbouring blocks


class StripedRow(Task):
    """Set five blocks of two colours in a row, so that the colours alternate."""

    def build(self, scene: Scene) -> None:
        one, other = scene.colors(2)
        ones = scene.add(Block(one), count=3)
        others = scene.add(Block(other), count=2)
        blocks = [*ones, *others]

        scene.goal(
            f"set the five blocks in a row, 5 cm apart, {one} and {other} alternating",
            blocks,
            at=line(scene.pattern(), count=5, spacing=APART),
        )
