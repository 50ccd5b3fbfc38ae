"""Build a bridge of four pillars, a deck and two parapets, and park a toy car on it."""

from gensim_envs.api import Box, Cylinder, Household, Pose, Scene, Task

DECK = (0.20, 0.10, 0.012)  # metres
PARAPET = (0.20, 0.012, 0.015)
PILLAR = 0.03  # metres across
CLEAR = 0.05  # metres below the deck
SPAN = 0.075  # metres from the middle of the bridge to a pillar, along it and across
TRACK = 0.03


class BuildBridge(Task):
    """Set up four pillars, lay the deck on them and a parapet on each side, and park a car."""

    def build(self, scene: Scene) -> None:
        stone, wood, rail, paint = scene.colors(4)
        river = scene.reserve(radius=0.13)
        pillars = scene.add(Cylinder(stone, diameter=PILLAR, length=CLEAR), count=4)
        deck = scene.add(Box(wood, extents=DECK))
        parapets = scene.add(Box(rail, extents=PARAPET), count=2)
        car = scene.add(Household(paint, "toy_car"))
        feet = [river @ Pose(x, y) for x in (-SPAN, SPAN) for y in (-TRACK, TRACK)]
        edges = [Pose(0, side * (DECK[1] - PARAPET[1]) / 2) for side in (-1, 1)]

        scene.goal(f"set up the four {pillars} as the pillars of a bridge", pillars, at=feet)
        scene.goal(f"lay the {deck} on the {stone} cylinders", deck, at=river.up(CLEAR))
        scene.goal(
            f"put the {parapets} along both sides of the {deck}", parapets, on=deck, offset=edges
        )
        scene.goal(f"park the {car} in the middle of the {deck}", car, on=deck)
