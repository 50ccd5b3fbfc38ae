"""Serve soup next to a plate."""

from gensim_envs.api import Household, Pose, Scene, Task


class SoupByThePlate(Task):
    """Put the soup can on the left of the plate, as the picture shows it."""

    def build(self, scene: Scene) -> None:
        tin, china, other = scene.colors(3)
        x, y = scene.rng.uniform((0.35, -0.25), (0.65, 0.25))
        plate = scene.add(Household(china, "plate"), at=Pose(x, y), fixed=True)
        can = scene.add(Household(tin, "soup_can"))

        scene.goal(
            f"put the {tin} soup can on the left of the {china} plate, as the picture shows it",
            can,
            right_of=plate,
        )

        scene.distract(Household(other, "soup_can"))
