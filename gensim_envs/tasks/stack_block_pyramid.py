"""Stack blocks as a pyramid, row by row."""

from gensim_envs.api import Block, Scene, Stand, Task, pyramid

SPACING = 0.05  # metres: leaves 1 cm between blocks, so that one on top rests on two


class StackBlockPyramid(Task):
    """Build a pyramid of three, two and one block on a stand."""

    def build(self, scene: Scene) -> None:
        base, *colors = scene.colors(4)
        stand = scene.add(Stand(base))
        rows = pyramid(stand.pose.up(stand.asset.height), 3, spacing=SPACING, height=0.04)
        low, middle, top = (
            scene.add(Block(color), count=len(row)) for color, row in zip(colors, rows, strict=True)
        )

        scene.goal(f"put the {low} in a row on the {stand}", low, at=rows[0])
        scene.goal(f"put the {middle} on the row, over its gaps", middle, at=rows[1])
        scene.goal(f"put the {top} on the very top", top, at=rows[2])
