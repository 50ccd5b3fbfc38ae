"""Park three toy cars nose first in three bays along a kerb."""

import math

from gensim_envs.api import Household, Line, Pose, Scene, Stand, Task, line

BAY = (0.125, 0.085, 0.008)  # metres: a low deck, its length towards the kerb
PITCH = 0.115  # metres between the middles of neighbouring bays
KERB = 0.08  # metres from the middle of a bay to the kerb


class ParkTheToyCars(Task):
    """Drive each toy car into the bay that is named, its nose to the kerb."""

    def build(self, scene: Scene) -> None:
        stone, *colors = scene.colors(7)
        bays, paints = colors[:3], colors[3:]
        park = scene.reserve(radius=0.2)
        scene.add(Line(stone, length=3 * PITCH), at=park @ Pose(0, KERB))
        decks = [
            scene.add(Stand(color, extents=BAY), at=place.turned(-math.pi / 2))
            for color, place in zip(bays, line(park, 3, PITCH))
        ]
        cars = [scene.add(Household(paint, "toy_car")) for paint in paints]

        for car, deck in zip(cars, decks):
            scene.goal(
                f"park the {car} in the {deck.asset.color} bay, its nose towards the kerb",
                car,
                on=deck,
                facing=math.pi,
            )
