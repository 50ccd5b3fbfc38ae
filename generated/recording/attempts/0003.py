"""Build a house on its foundation: walls, a ceiling across them, a roof, and a tree beside it."""

from gensim_envs.api import Box, Cylinder, Pose, Roof, Scene, Stand, Task, Zone

FOUNDATION = (0.11, 0.17, 0.015)  # metres
WALL = (0.09, 0.025, 0.05)
CEILING = (0.14, 0.10, 0.015)
ROOF = (0.13, 0.10, 0.04)
TREE = {"diameter": 0.03, "length": 0.06}


class BuildHouse(Task):
    """Set two walls on a foundation, lay a ceiling across them, roof it and plant a tree."""

    def build(self, scene: Scene) -> None:
        stone, lawn, brick, plaster, tile, leaf, other = scene.colors(7)
        plot = scene.reserve(radius=0.13)
        foundation = scene.add(Stand(stone, extents=FOUNDATION), at=plot @ Pose(-0.04, 0))
        garden = scene.add(Zone(lawn, width=0.09, shape="round"), at=plot @ Pose(0.075, 0))
        walls = scene.add(Box(brick, extents=WALL), count=2)
        ceiling = scene.add(Box(plaster, extents=CEILING))
        roof = scene.add(Roof(tile, extents=ROOF))
        tree = scene.add(Cylinder(leaf, **TREE))

        scene.goal(
            f"set a {brick} box across each end of the {foundation} as the walls of a house",
            walls, on=foundation, part="ends", facing=0.0,
        )  # fmt: skip
        scene.goal(f"lay the {ceiling} on both {walls} as the ceiling", ceiling, on=tuple(walls))
        scene.goal(f"put the {roof} on the {ceiling}", roof, on=ceiling)
        scene.goal(f"plant the {tree} in the {garden} as a tree", tree, inside=garden)

        scene.distract(Box(other, extents=WALL), count=2)
        scene.distract(Roof(other, extents=ROOF))
        scene.distract(Cylinder(other, **TREE))
