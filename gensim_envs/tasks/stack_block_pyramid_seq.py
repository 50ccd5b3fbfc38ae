"""Stack a pyramid block by block, each on the ones that are named."""

from gensim_envs.api import Block, Scene, Stand, Task, line

SPACING = 0.05  # metres: leaves 1 cm between blocks, so that one on top rests on two
STAND = (0.045, 0.06, 0.015)  # metres


class StackBlockPyramidSeq(Task):
    """Put three blocks on three stands, two on these, and one on top, as each is named."""

    def build(self, scene: Scene) -> None:
        colors = scene.colors(6)
        middle = scene.reserve(radius=0.11)
        # The stands have the colours of the upper blocks, never that of the block on them.
        stands = [
            scene.add(Stand(color, extents=STAND), at=place)
            for color, place in zip(colors[3:], line(middle, 3, SPACING), strict=True)
        ]
        left, centre, right, upper_left, upper_right, top = (
            scene.add(Block(color)) for color in colors
        )
        for block, stand in zip((left, centre, right), stands, strict=True):
            scene.goal(f"put the {block} on the {stand}", block, on=stand)
        for block, below in (
            (upper_left, (left, centre)), (upper_right, (centre, right)),
            (top, (upper_left, upper_right)),
        ):  # fmt: skip
            first, second = below
            scene.goal(f"put the {block} on the {first} and the {second}", block, on=below)
