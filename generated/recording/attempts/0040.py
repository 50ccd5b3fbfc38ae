"""Nest trays in pairs of the colours named, a small one in one of them, and a ball in that."""

from gensim_envs.api import Ball, Container, Scene, Task

LARGE = (0.20, 0.16, 0.04)  # metres
MIDDLE = (0.15, 0.11, 0.04)
SMALL = (0.10, 0.07, 0.04)


class NestTheTrays(Task):
    """Nest two middle trays in two large ones, the small tray in one of them, and add a ball."""

    def build(self, scene: Scene) -> None:
        *paints, toy, other = scene.colors(7)
        large = [scene.add(Container(paint, extents=LARGE)) for paint in paints[:2]]
        middle = [
            scene.add(Container(paint, extents=MIDDLE), fixed=False) for paint in paints[2:4]
        ]
        small = scene.add(Container(paints[4], extents=SMALL), fixed=False)
        ball = scene.add(Ball(toy, diameter=0.03))

        for tray, below in zip(middle, large):
            scene.goal(
                f"put the {tray.asset.color} tray into the {below.asset.color} tray",
                tray,
                inside=below,
            )
        scene.goal(f"put the {paints[4]} tray into the {paints[2]} tray", small, inside=middle[0])
        scene.goal(f"put the {ball} into the {paints[4]} tray", ball, inside=small)

        scene.distract(Ball(other, diameter=0.03))
