"""Nest three trays of falling size and put a ball into the smallest."""

from gensim_envs.api import Ball, Container, Scene, Task

SIZES = ((0.20, 0.16, 0.04), (0.15, 0.11, 0.04), (0.10, 0.07, 0.04))  # metres, largest first


class NestTheTrays(Task):
    """Put the middle tray into the large one, the small one into that, and the ball on top."""

    def build(self, scene: Scene) -> None:
        *colors, toy = scene.colors(4)
        large, middle, small = (
            scene.add(Container(color, extents=size), fixed=color == colors[0])
            for color, size in zip(colors, SIZES)
        )
        ball = scene.add(Ball(toy, diameter=0.03))

        scene.goal(f"put the {colors[1]} tray into the {colors[0]} tray", middle, inside=large)
        scene.goal(f"put the {colors[2]} tray into the {colors[1]} tray", small, inside=middle)
        scene.goal(f"drop the {ball} into the {colors[2]} tray", ball, inside=small)
