"""Sort balls of three colours into three containers, by the pairs of colours that are named."""

from gensim_envs.api import Ball, Container, Scene, Task

RACK = (0.15, 0.06, 0.03)  # metres: room for three balls
BALL = 0.035  # metres across


class SphereContainerColorMatch(Task):
    """Put the one, two or three balls of each colour into the container that is named for it."""

    def build(self, scene: Scene) -> None:
        colors = scene.colors(7)
        racks = [scene.add(Container(color, extents=RACK)) for color in colors[:3]]

        for rack, color, count in zip(racks, colors[3:6], scene.rng.permutation(3) + 1, strict=True):
            balls = scene.add(Ball(color, diameter=BALL), count=int(count))
            number = ("", "two ", "three ")[count - 1]
            scene.goal(f"put the {number}{balls} into the {rack}", balls, inside=rack, only=True)

        scene.distract(Ball(colors[6], diameter=BALL), count=2)
