"""Build a bridge from bank to bank: pillars, a deck, two parapets, and a toy car on it."""

import math

from gensim_envs.api import Box, Cylinder, Household, Pose, Scene, Stand, Task

BANK = (0.12, 0.05, 0.015)  # metres
SPAN = 0.07  # metres from the middle of the river to that of a bank
PILLAR = {"diameter": 0.03, "length": 0.05}
DECK = (0.20, 0.12, 0.012)
PARAPET = (0.20, 0.012, 0.015)


class BuildBridge(Task):
    """Raise four pillars on two banks, lay a deck on them, edge it with parapets and park a car."""

    def build(self, scene: Scene) -> None:
        near, far, stone, wood, rail, paint, other = scene.colors(7)
        river = scene.reserve(radius=0.13)
        banks = [
            scene.add(Stand(color, extents=BANK), at=(river @ Pose(x, 0)).turned(math.pi / 2))
            for color, x in ((near, -SPAN), (far, SPAN))
        ]
        pillars = scene.add(Cylinder(stone, **PILLAR), count=4)
        deck = scene.add(Box(wood, extents=DECK))
        parapets = scene.add(Box(rail, extents=PARAPET), count=2)
        car = scene.add(Household(paint, "toy_car"))
        edges = [Pose(0, side * (DECK[1] - PARAPET[1]) / 2) for side in (-1, 1)]

        for bank, pair in zip(banks, (pillars[:2], pillars[2:])):
            scene.goal(
                f"stand a {stone} cylinder on each end of the {bank}", pair, on=bank, part="ends"
            )
        scene.goal(f"lay the {deck} on all four {pillars}", deck, on=tuple(pillars))
        scene.goal(
            f"put a {rail} box along each long edge of the {deck}",
            parapets, on=deck, offset=edges, facing=0.0,
        )  # fmt: skip
        scene.goal(f"park the {car} in the middle of the {deck}", car, on=deck, part="middle")

        scene.distract(Household(other, "toy_car"))
        scene.distract(Cylinder(other, **PILLAR), count=2)
