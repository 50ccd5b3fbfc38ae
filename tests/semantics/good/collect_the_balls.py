"""Collect the balls of one colour in a bin."""

from gensim_envs.api import Ball, Container, Scene, Task


class CollectTheBalls(Task):
    """Put all balls of the named colour into the bin; those of the other colour stay outside."""

    def build(self, scene: Scene) -> None:
        tin, color, other = scene.colors(3)
        bin = scene.add(Container(tin, extents=(0.16, 0.14, 0.05)))
        balls = scene.add(Ball(color, diameter=0.035), count=3)

        scene.goal(f"put all {color} balls into the {tin} bin", balls, inside=bin)

        scene.distract(Ball(other, diameter=0.035), count=2)
