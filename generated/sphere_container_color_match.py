"""Sort balls into containers of their colour, which are as long as they have balls."""

from gensim_envs.api import Ball, Container, Pose, Scene, Task, line

BALL = 0.035  # metres across
PITCH = 0.042  # metres between the middles of neighbouring balls
WIDTH = 0.06  # metres, of each container
HEIGHT = 0.03
WORDS = ("single", "two", "three")


class SphereContainerColorMatch(Task):
    """Put three, two and one ball into the container of their own colour and length."""

    def build(self, scene: Scene) -> None:
        colors = scene.colors(3)

        for count in (3, 2, 1):
            color = colors[count - 1]
            length = count * PITCH + 0.02
            rack = scene.add(Container(color, extents=(length, WIDTH, HEIGHT)))
            balls = scene.add(Ball(color, diameter=BALL), count=count)
            scene.goal(
                f"put the {WORDS[count - 1]} {balls} into the {rack}",
                balls,
                inside=rack,
                offset=line(Pose(0, 0, 0.005), count, PITCH),
            )
