"""Build a tower of ten storeys, square and round ones in turn, each pair narrower than the last."""

from gensim_envs.api import Box, Cylinder, Roof, Scene, Stand, Task

STOREY = 0.02  # metres high
WIDTHS = {"largest": 0.12, "second largest": 0.105, "third largest": 0.09,
          "fourth largest": 0.075, "smallest": 0.06}  # fmt: skip
ROOF = (0.06, 0.045, 0.03)  # metres


class TenStoreyTower(Task):
    """Stack five square and five round storeys in turn, from the largest to the smallest."""

    def build(self, scene: Scene) -> None:
        ground, square, round_, tile = scene.colors(4)
        below = scene.add(Stand(ground, extents=(0.13, 0.13, 0.015)))
        base = f"{below}"
        order = scene.rng.permutation(2)

        for size, width in WIDTHS.items():
            pair = (
                scene.add(Box(square, extents=(width, width, STOREY))),
                scene.add(Cylinder(round_, diameter=width, length=STOREY)),
            )
            for k in order:
                storey = f"{size} {pair[k]}"
                scene.goal(f"put the {storey} on the {base}", pair[k], on=below)
                below, base = pair[k], storey

        roof = scene.add(Roof(tile, extents=ROOF))
        scene.goal(f"put the {roof} on the {base}, the top of the tower", roof, on=below)
