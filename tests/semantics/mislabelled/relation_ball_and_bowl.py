"""Bring a ball to a bowl."""

from gensim_envs.api import Ball, Bowl, Scene, Task


class BallAndBowl(Task):
    """Put the ball down beside the bowl."""

    def build(self, scene: Scene) -> None:
        toy, clay, other = scene.colors(3)
        bowl = scene.add(Bowl(clay), fixed=True)
        ball = scene.add(Ball(toy))

        scene.goal(f"put the {toy} ball down beside the {clay} bowl", ball, inside=bowl)

        scene.distract(Ball(other))
