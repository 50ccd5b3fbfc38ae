"""Lift a bowl onto the highest of three platforms and put a ball into it."""

from gensim_envs.api import Ball, Bowl, Scene, Stand, Task

WIDTH = 0.11  # metres: more than the floor of the bowl
HEIGHTS = (0.02, 0.05, 0.08)  # metres


class PlaceBallInElevatedBowl(Task):
    """Put the bowl on the highest platform, then the ball into the bowl."""

    def build(self, scene: Scene) -> None:
        *paints, clay, toy = scene.colors(5)
        platforms = [
            scene.add(Stand(paint, extents=(WIDTH, WIDTH, height)))
            for paint, height in zip(paints, HEIGHTS)
        ]
        bowl = scene.add(Bowl(clay))
        ball = scene.add(Ball(toy))
        highest = platforms[-1]

        scene.goal(
            f"put the {bowl} on the highest platform, the {paints[-1]} one", bowl, on=highest
        )
        scene.goal(f"put the {ball} into the {bowl} up there", ball, inside=bowl)
