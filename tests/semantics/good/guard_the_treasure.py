"""Set cylinders round a ball that does not move."""

from gensim_envs.api import Ball, Cylinder, Scene, Task


class GuardTheTreasure(Task):
    """Stand six cylinders in a circle around the ball, which stays where it is."""

    def build(self, scene: Scene) -> None:
        gold, stone = scene.colors(2)
        ball = scene.add(Ball(gold), at=scene.reserve(radius=0.12), fixed=True)
        guards = scene.add(Cylinder(stone, diameter=0.03, length=0.06), count=6)

        scene.goal(
            f"stand the six {stone} cylinders in a circle around the {gold} ball",
            guards,
            around=ball,
        )
