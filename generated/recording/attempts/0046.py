"""Mark the ends of the longest and of the shortest of three lines with blue blocks."""

from gensim_envs.api import Block, Line, Scene, Task

LENGTHS = {  # metres, least and most
    "longest": (0.25, 0.30),
    "second longest": (0.17, 0.20),
    "shortest": (0.10, 0.12),
}
MARGIN = 0.03  # metres beyond an end: room for a block


class PlaceBlueOnLineEnds(Task):
    """Put a blue block on each end of the lines that are named by length; leave other blocks."""

    def build(self, scene: Scene) -> None:
        paint, *others = scene.colors(3, exclude=["blue"])
        lines = {}
        for name, (least, most) in LENGTHS.items():
            length = float(scene.rng.uniform(least, most))
            spot = scene.reserve(radius=length / 2 + MARGIN)
            lines[name] = scene.add(Line(paint, length=length), at=spot)
        names = [tuple(LENGTHS)[k] for k in scene.rng.permutation(3)[:2]]

        for name in names:
            stripe = lines[name]
            blues = scene.add(Block("blue"), count=2)
            ends = [stripe.pose @ end for end in stripe.asset.path()]
            scene.goal(f"put a blue block on each end of the {name} {paint} line", blues, at=ends)

        for color in others:
            scene.distract(Block(color), count=2)
