"""Build a house: two walls, a ceiling across them, a roof on top, and a tree beside it."""

from gensim_envs.api import Box, Cylinder, Pose, Roof, Scene, Task

WALL = (0.12, 0.025, 0.05)  # metres
CEILING = (0.13, 0.11, 0.015)
ROOF = (0.13, 0.10, 0.04)
SPAN = 0.04  # metres from the middle of the house to a wall
GARDEN = 0.10  # metres from the middle of the house to the tree


class BuildHouse(Task):
    """Stand up two walls, lay a ceiling across them, put a roof on it and plant a tree."""

    def build(self, scene: Scene) -> None:
        brick, plaster, tile, leaf = scene.colors(4)
        plot = scene.reserve(radius=0.14)
        walls = scene.add(Box(brick, extents=WALL), count=2)
        ceiling = scene.add(Box(plaster, extents=CEILING))
        roof = scene.add(Roof(tile, extents=ROOF))
        tree = scene.add(Cylinder(leaf, diameter=0.03, length=0.06))
        feet = [plot @ Pose(0, side) for side in (-SPAN, SPAN)]

        scene.goal(f"stand the two {walls} parallel as the walls of a house", walls, at=feet)
        scene.goal(
            f"lay the {ceiling} across the {brick} boxes as the ceiling",
            ceiling,
            at=plot.up(WALL[2]),
        )
        scene.goal(f"put the {roof} on the {ceiling}", roof, on=ceiling)
        scene.goal(f"plant the {tree} beside the house", tree, at=plot @ Pose(GARDEN, 0))
