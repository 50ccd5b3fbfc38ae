"""Trucks board a ferry."""

from gensim_envs.api import Household, Pallet, Pose, Scene, Task


class FerryTheTrucks(Task):
    """Drive the trucks aboard the pallet, next to each other."""

    def build(self, scene: Scene) -> None:
        deck, paint = scene.colors(2)
        ferry = scene.add(Pallet(deck))
        trucks = scene.add(Household(paint, "toy_truck"), count=3)
        lanes = [ferry.pose @ Pose(0, y, ferry.asset.height) for y in (-0.06, 0, 0.06)]

        scene.goal(
            f"drive a pair of {paint} toy trucks aboard the {deck} pallet, next to each other",
            trucks,
            at=lanes,
        )
