"""A teddy bear in the back yard of a toy house."""

from gensim_envs.api import Household, Pose, Scene, Task

YARD = 0.12  # metres from the middle of the house to the middle of the bear


class TeddyInTheYard(Task):
    """Seat the bear in the back yard: the robot has to reach past the house to get there."""

    def build(self, scene: Scene) -> None:
        brick, fur = scene.colors(2)
        # x grows with the distance from the robot.
        x, y = scene.rng.uniform((0.44, -0.3), (0.56, 0.3))
        house = scene.add(Household(brick, "toy_house"), at=Pose(x, y), fixed=True)
        bear = scene.add(Household(fur, "teddy_bear"))
        lawn = house.pose @ Pose(YARD, 0)

        scene.goal(
            f"seat the {fur} teddy bear in back of the {brick} toy house, where the robot has to"
            " reach past it",
            bear,
            at=lawn,
        )
