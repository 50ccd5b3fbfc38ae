"""Build a tower of ten storeys in two colours and put a roof on it."""

from gensim_envs.api import Box, Roof, Scene, Task, stack

STOREY = (0.06, 0.06, 0.03)  # metres
ROOF = (0.07, 0.06, 0.035)
LEVELS = 10
FLOORS = ("first", "third", "fifth", "seventh", "ninth")


class TenStoreyTower(Task):
    """Stack ten boxes, two colours in turn, and put a roof on the top."""

    def build(self, scene: Scene) -> None:
        odd, even, tile = scene.colors(3)
        site = scene.reserve(radius=0.06)
        levels = stack(site, LEVELS, STOREY[2])

        for k, floor in enumerate(FLOORS):
            pair = [scene.add(Box(color, extents=STOREY)) for color in (odd, even)]
            scene.goal(
                f"build the {floor} storey of the tower with the {pair[0]} and the next one "
                f"above it with the {pair[1]}",
                pair,
                at=levels[2 * k : 2 * k + 2],
            )

        roof = scene.add(Roof(tile, extents=ROOF))
        scene.goal(f"put the {roof} on the top of the tower", roof, at=site.up(LEVELS * STOREY[2]))
