"""Mark the ends of the longer of two lines with blue blocks."""

from gensim_envs.api import Block, Line, Scene, Task

LONG = (0.24, 0.34)  # metres, shortest and longest that the long line may be
SHORT = 0.12  # metres
MARGIN = 0.03  # metres beyond an end: room for a block


class PlaceBlueOnLineEnds(Task):
    """Put a blue block on each end of the longer line and leave the other blocks."""

    def build(self, scene: Scene) -> None:
        paint, other, *rest = scene.colors(4, exclude=["blue"])
        length = float(scene.rng.uniform(LONG[0], LONG[1]))
        long = scene.add(Line(paint, length=length), at=scene.reserve(radius=length / 2 + MARGIN))
        scene.add(Line(other, length=SHORT))
        blues = scene.add(Block("blue"), count=2)
        ends = [long.pose @ end for end in long.asset.path()]

        scene.goal(f"put a blue block on each end of the longer line, the {long}", blues, at=ends)

        for color in rest:
            scene.distract(Block(color), count=2)
