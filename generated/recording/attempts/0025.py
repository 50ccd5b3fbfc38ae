"""Fence a pen with three ropes and bring in the duck."""

import math

from gensim_envs.api import Household, Item, OpenSquare, Pose, Rope, Scene, Task

SIDE = 0.26  # metres: ropes on neighbouring sides end 2 cm apart


def along_side(square: Item, name: str) -> list[Pose]:
    """The part of a side round its middle on which a rope has room."""
    share = Rope.LENGTH / SIDE
    a, b = square.asset.edge(name)
    x, y = (a.x + b.x) / 2, (a.y + b.y) / 2
    return [
        square.pose @ Pose(x + (end.x - x) * share, y + (end.y - y) * share) for end in (a, b)
    ]


class FenceThePen(Task):
    """Lay a rope on the left, the far and the right side of a pen and put a duck into it."""

    def build(self, scene: Scene) -> None:
        paint, duck_color, *colors = scene.colors(5)
        pen = scene.add(OpenSquare(paint, side=SIDE))
        ropes = [scene.add(Rope(color)) for color in colors]
        duck = scene.add(Household(duck_color, "rubber_duck"))
        headings = [pen.pose.turned(math.tau * k / 12) for k in range(12)]

        for rope, name in zip(ropes, ("left", "far", "right")):
            scene.goal(
                f"lay the {rope} along the {name} side of the {pen}, as seen from its open side",
                rope,
                along=along_side(pen, name),
            )
        scene.goal(f"put the {duck} in the middle of the {pen}", duck, at=headings)
