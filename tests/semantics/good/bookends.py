"""Stand a cylinder at each end of a long box."""

from gensim_envs.api import Box, Cylinder, Pose, Scene, Task

LENGTH = 0.16  # metres
APART = LENGTH / 2 + 0.03  # metres from the middle of the box to the middle of a cylinder


class Bookends(Task):
    """Stand two cylinders on the table, one beyond each end of the box."""

    def build(self, scene: Scene) -> None:
        paper, brass = scene.colors(2)
        box = scene.add(
            Box(paper, extents=(LENGTH, 0.05, 0.04)), at=scene.reserve(radius=0.14), fixed=True
        )
        cylinders = scene.add(Cylinder(brass, diameter=0.03), count=2)
        ends = [box.pose @ Pose(x, 0) for x in (-APART, APART)]

        scene.goal(
            f"stand the two {brass} cylinders on the table, one beyond each end of the {paper} box",
            cylinders,
            at=ends,
        )
