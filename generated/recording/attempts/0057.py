"""Set up nine dominoes along half of the edge of a painted disc, in two colours that take turns."""

from gensim_envs.api import Box, Scene, Task, Zone, ring

DOMINO = (0.035, 0.015, 0.05)  # metres: wide across the way, thin along it
DISC = 0.24  # metres across


class StandTheDominoBend(Task):
    """Stand five dominoes evenly along a half circle, then one of another colour in each gap."""

    def build(self, scene: Scene) -> None:
        paint, first, second, *others = scene.colors(5)
        disc = scene.add(Zone(paint, width=DISC, shape="round"))
        fives = scene.add(Box(first, extents=DOMINO), count=5)
        fours = scene.add(Box(second, extents=DOMINO), count=4)
        bend = ring(scene.pattern(anchor=disc), 16, radius=DISC / 2)[:9]

        scene.goal(
            f"stand the five {fives} as dominoes on the edge of the round {disc}, evenly along one "
            "half of it from end to end, each turned so that it would knock over the next",
            fives, at=bend[::2], facing=True,
        )  # fmt: skip
        scene.goal(
            f"stand one of the four {fours} in the middle of each gap between these dominoes, on "
            f"the edge of the {disc}, turned in the same way",
            fours, at=bend[1::2], facing=True,
        )  # fmt: skip

        for color in others:
            scene.distract(Box(color, extents=DOMINO), count=2)
