"""Stand two cylinders on a long box."""

from gensim_envs.api import Box, Cylinder, Scene, Task

LENGTH = 0.16  # metres


class Bookends(Task):
    """Stand two cylinders on top of the box."""

    def build(self, scene: Scene) -> None:
        paper, brass = scene.colors(2)
        box = scene.add(
            Box(paper, extents=(LENGTH, 0.05, 0.04)), at=scene.reserve(radius=0.14), fixed=True
        )
        cylinders = scene.add(Cylinder(brass, diameter=0.03), count=2)

        scene.goal(
            f"stand the two {brass} cylinders on top of the {paper} box",
            cylinders,
            next_to=box,
        )
