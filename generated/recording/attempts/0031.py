"""Lay two ropes as the rails of a track and park a train on it."""

from gensim_envs.api import Household, Line, Pose, Rope, Scene, Stand, Task

GAUGE = 0.17  # metres between the two rails
STATION = (0.03, 0.05, 0.02)  # metres
REACH = 0.17  # metres from the middle of the track to that of a station


class ManipulatingTwoRopes(Task):
    """Lay each rope along the stripe that is named and park the train between the stations."""

    def build(self, scene: Scene) -> None:
        steam, wood, one, two, other, *cords = scene.colors(7)
        middle = scene.reserve(radius=0.20)
        stripes = [
            scene.add(Line(color, length=Rope.LENGTH), at=middle @ Pose(0, side * GAUGE / 2))
            for color, side in ((one, -1), (two, 1))
        ]
        stations = [
            scene.add(Stand(wood, extents=STATION), at=middle @ Pose(side * REACH, 0))
            for side in (-1, 1)
        ]
        scene.add(Line(other, length=Rope.LENGTH))
        ropes = [scene.add(Rope(color)) for color in cords]
        train = scene.add(Household(steam, "toy_train"))

        for rope, stripe in zip(ropes, stripes):
            scene.goal(f"lay the {rope} along the {stripe} as a rail", rope, along=stripe)
        scene.goal(
            f"park the {train} about halfway between the two {wood} stands", train, between=stations
        )
