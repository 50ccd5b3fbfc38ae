"""Set cups in a row on a stand."""

from gensim_envs.api import Cylinder, Pose, Scene, Stand, Task, line

GAP = 0.06  # metres between the middles of neighbouring cups


class CupsOnTheShelf(Task):
    """Set three cylinders in a row on the long stand."""

    def build(self, scene: Scene) -> None:
        wood, clay = scene.colors(2)
        stand = scene.add(Stand(wood, extents=(0.20, 0.07, 0.02)))
        cups = scene.add(Cylinder(clay, diameter=0.04, length=0.05), count=3)
        spots = line(Pose(0, 0), count=3, spacing=GAP)

        scene.goal(
            f"set the three {clay} cylinders in a row on the {wood} stand",
            cups,
            on=stand,
            offset=spots,
        )
