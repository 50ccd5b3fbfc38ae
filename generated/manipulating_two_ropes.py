"""Lay two ropes as the rails of a track and park a train between them."""

import math

from gensim_envs.api import Household, Line, Pose, Rope, Scene, Task

GAUGE = 0.12  # metres between the two rails


class ManipulatingTwoRopes(Task):
    """Lay each rope along the stripe that is named and park the train between the two."""

    def build(self, scene: Scene) -> None:
        steam, *colors = scene.colors(5)
        middle = scene.reserve(radius=0.14)
        stripes = [
            scene.add(Line(color, length=Rope.LENGTH), at=middle @ Pose(0, side * GAUGE / 2))
            for color, side in zip(colors[:2], (-1, 1))
        ]
        ropes = [scene.add(Rope(color)) for color in colors[2:]]
        train = scene.add(Household(steam, "toy_train"))

        for rope, stripe in zip(ropes, stripes):
            scene.goal(f"lay the {rope} along the {stripe} as a rail", rope, along=stripe)
        scene.goal(
            f"park the {train} in the middle between the two rails, in line with them",
            train,
            at=[middle, middle.turned(math.pi)],
        )
