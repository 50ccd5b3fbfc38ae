"""Fill a crate with bottles that arrive one by one, first of one colour, then of another."""

from gensim_envs.api import Container, Cylinder, Pose, Scene, Task, grid

BOTTLE = 0.03  # metres across
PITCH = 0.045  # metres between the middles of neighbouring bottles


class FillTheCrate(Task):
    """Put six bottles into a crate in two rows as they arrive, three of each colour."""

    def build(self, scene: Scene) -> None:
        tin, milk, juice = scene.colors(3)
        crate = scene.add(Container(tin, extents=(0.16, 0.11, 0.04)))
        spots = grid(Pose(0, 0, 0.005), rows=2, columns=3, spacing=PITCH)
        for color, row in ((milk, spots[:3]), (juice, spots[3:])):
            bottles = scene.add(
                Cylinder(color, diameter=BOTTLE, length=0.06), count=3, one_by_one=True
            )
            scene.goal(
                f"put the three {bottles} into the {crate} as they arrive",
                bottles,
                inside=crate,
                offset=row,
            )
