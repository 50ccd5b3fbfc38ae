"""Set up ten dominoes one by one along a half circle."""

from gensim_envs.api import Box, Scene, Task, ring

DOMINO = (0.035, 0.015, 0.05)  # metres: wide across the way, thin along it
BEND = 0.12  # metres, radius of the half circle
ORDER = (
    ("first", "third", "fifth", "seventh", "ninth"),
    ("second", "fourth", "sixth", "eighth", "tenth"),
)


class StandTheDominoBend(Task):
    """Stand ten dominoes along a bend, two colours in turn, from the first to the tenth."""

    def build(self, scene: Scene) -> None:
        colors = scene.colors(2)
        middle = scene.reserve(radius=BEND + 0.03)
        bend = ring(middle, 18, radius=BEND)[:10]

        for k, place in enumerate(bend):
            color = colors[k % 2]
            domino = scene.add(Box(color, extents=DOMINO))
            name = ORDER[k % 2][k // 2]
            scene.goal(
                f"stand up one of the {color} boxes as the {name} domino of the half circle",
                domino,
                at=place,
            )
