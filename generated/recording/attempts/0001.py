"""Build a wheel: a rim of alternating blocks around a ball."""

from gensim_envs.api import Ball, Block, Scene, Task, ring

RIM_RADIUS = 0.10  # metres: leaves 2 cm between the corners of neighbouring 4 cm blocks


class BuildWheel(Task):
    """Ring eight blocks, alternately red and blue, around a green ball."""

    def build(self, scene: Scene) -> None:
        hub = scene.reserve(radius=RIM_RADIUS + 0.03)
        rim = ring(hub, count=8, radius=RIM_RADIUS)

        reds = scene.add(Block("red"), count=4)
        blues = scene.add(Block("blue"), count=4)
        ball = scene.add(Ball("green"))

        scene.goal("place the red blocks on every other spot of a circle", reds, at=rim[0::2])
        scene.goal("fill the gaps in the circle with the blue blocks", blues, at=rim[1::2])
        scene.goal("put the green ball at the centre of the circle", ball, at=hub)
