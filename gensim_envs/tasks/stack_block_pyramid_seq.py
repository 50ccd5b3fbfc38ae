"""Stack a pyramid block by block, each on the ones that are named."""

from gensim_envs.api import Block, Scene, Stand, Task, pyramid

SPACING = 0.05  # metres: leaves 1 cm between blocks, so that one on top rests on two
LOW = 0.015  # metres, height of the stands


class StackBlockPyramidSeq(Task):
    """Put three blocks on three stands, two on these, and one on top, as each is named."""

    def build(self, scene: Scene) -> None:
        middle = scene.reserve(radius=0.11)
        rows = pyramid(middle.up(LOW), 3, spacing=SPACING, height=0.04)
        stands = [
            scene.add(Stand(color, extents=(0.045, 0.06, LOW)), at=place.up(-LOW))
            for color, place in zip(scene.colors(3), rows[0], strict=True)
        ]
        blocks = [scene.add(Block(color)) for color in scene.colors(6)]
        left, centre, right, upper_left, upper_right, _ = blocks
        below = [
            *(str(stand) for stand in stands),
            f"{left} and the {centre}", f"{centre} and the {right}",
            f"{upper_left} and the {upper_right}",
        ]  # fmt: skip
        places = [*(stand.pose.up(LOW) for stand in stands), *rows[1], *rows[2]]

        for block, names, place in zip(blocks, below, places, strict=True):
            scene.goal(f"put the {block} on the {names}", block, at=place)
