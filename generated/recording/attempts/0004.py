"""Build a wheel: a rim of alternating blocks around a ball."""

from gensim_envs.api import Ball, Block, Scene, Task, ring


class BuildWheel(Task):
    """Ring eight blocks of two alternating colours around a ball."""

    def build(self, scene: Scene) -> None:
        one, other, spare, hub = scene.colors(4)
        wheel = scene.pattern()
        rim = ring(wheel, 8, 0.09)

        first = scene.add(Block(one), count=4)
        second = scene.add(Block(other), count=4)
        ball = scene.add(Ball(hub))
        scene.distract(Block(spare), count=2)

        scene.goal(
            f"place the {first} on every other spot of a circle of 9 cm radius", first, at=rim[0::2]
        )
        scene.goal(
            f"fill the gaps in the circle with the {second} and put the {ball} at its centre",
            [*second, ball],
            at=[*rim[1::2], wheel],
        )
