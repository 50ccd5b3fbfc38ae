"""Park three toy cars nose first in three bays along a kerb."""

from gensim_envs.api import Household, Line, OpenSquare, Pose, Scene, Task, line

BAY = 0.115  # metres, side of a bay
PITCH = 0.13  # metres between the middles of neighbouring bays
KERB = 0.08  # metres from the middle of a bay to the kerb behind it


class ParkTheToyCars(Task):
    """Drive each toy car into its own bay, its nose to the kerb."""

    def build(self, scene: Scene) -> None:
        bays = scene.colors(3)
        (stone,) = scene.colors(1, exclude=bays)
        paints = scene.colors(3)
        park = scene.reserve(radius=0.21)
        scene.add(Line(stone, length=3 * PITCH), at=park @ Pose(0, KERB))
        squares = [
            scene.add(OpenSquare(color, side=BAY), at=place)
            for color, place in zip(bays, line(park, 3, PITCH))
        ]
        cars = [scene.add(Household(paint, "toy_car")) for paint in paints]

        for car, square in zip(cars, squares):
            scene.goal(
                f"park the {car} in the {square}, its nose away from the open side",
                car,
                at=square.pose @ Pose(0, 0, 0, 1.5708),
            )
