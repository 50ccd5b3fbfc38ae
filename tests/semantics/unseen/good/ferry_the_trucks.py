"""Trucks board a ferry."""

from gensim_envs.api import Household, Pallet, Scene, Task


class FerryTheTrucks(Task):
    """Drive the trucks aboard the pallet."""

    def build(self, scene: Scene) -> None:
        deck, paint = scene.colors(2)
        ferry = scene.add(Pallet(deck))
        trucks = scene.add(Household(paint, "toy_truck"), count=2)

        scene.goal(f"drive a pair of {paint} toy trucks aboard the {deck} pallet", trucks, on=ferry)
