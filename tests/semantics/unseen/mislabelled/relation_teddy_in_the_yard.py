"""A teddy bear in the back yard of a toy house."""

from gensim_envs.api import Household, Pose, Scene, Task


class TeddyInTheYard(Task):
    """Seat the bear in the back yard, which is above the house in the picture."""

    def build(self, scene: Scene) -> None:
        brick, fur = scene.colors(2)
        x, y = scene.rng.uniform((0.44, -0.3), (0.56, 0.3))
        house = scene.add(Household(brick, "toy_house"), at=Pose(x, y), fixed=True)
        bear = scene.add(Household(fur, "teddy_bear"))

        scene.goal(
            f"seat the {fur} teddy bear behind the {brick} toy house, as the picture shows it",
            bear,
            in_front_of=house,
        )
