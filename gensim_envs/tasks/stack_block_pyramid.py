"""Stack blocks as a pyramid, row by row."""

from gensim_envs.api import Block, Scene, Stand, Task


class StackBlockPyramid(Task):
    """Build a pyramid of three, two and one block on a stand."""

    def build(self, scene: Scene) -> None:
        base, *colors = scene.colors(4)
        stand = scene.add(Stand(base))
        low, middle, top = (
            scene.add(Block(color), count=count)
            for color, count in zip(colors, (3, 2, 1), strict=True)
        )

        scene.goal(f"put the three {low} side by side on the {stand}", low, on=stand)
        scene.goal(
            f"put the two {middle} on the {low}, each over a gap",
            middle, on=[(low[0], low[1]), (low[1], low[2])],
        )  # fmt: skip
        scene.goal(f"put the {top} on the two {middle}", top, on=tuple(middle))
