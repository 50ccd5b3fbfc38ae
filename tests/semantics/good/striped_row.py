"""Lay a row of blocks of two colours along a stripe."""

from gensim_envs.api import Block, Line, Scene, Task, line

APART = 0.05  # metres between the middles of neighbouring blocks


class StripedRow(Task):
    """Set five blocks of two colours in a row on the stripe, so that the colours alternate."""

    def build(self, scene: Scene) -> None:
        paint, one, other = scene.colors(3)
        stripe = scene.add(Line(paint, length=0.26), at=scene.reserve(radius=0.14))
        ones = scene.add(Block(one), count=3)
        others = scene.add(Block(other), count=2)
        blocks = [ones[0], others[0], ones[1], others[1], ones[2]]

        scene.goal(
            f"set the five blocks in a row along the {paint} stripe, {one} and {other} alternating",
            blocks,
            at=line(stripe.pose, count=5, spacing=APART),
        )
