"""Sweep a building site, then build a house in a painted corner and put up walls beside it."""

from gensim_envs.api import Box, Corner, Pile, Pose, Roof, Scene, Task, Zone, line

GROUND = (0.10, 0.07, 0.04)  # metres
UPPER = (0.08, 0.055, 0.03)
ROOF = (0.10, 0.07, 0.035)
WALL = (0.08, 0.015, 0.025)


class SweepTheBuildingSite(Task):
    """Sweep up the rubble, build a house of two floors in the corner and set two walls beside it."""

    def build(self, scene: Scene) -> None:
        dump, paint, rubble, stone, plaster, tile, brick = scene.colors(7)
        side = float(scene.rng.choice((-1, 1)))  # the end of the table where the material lies
        yard = line(Pose(0.5, side * 0.44), 3, spacing=0.14)
        order = scene.rng.permutation(3)
        ground = scene.add(Box(stone, extents=GROUND), at=yard[order[0]])
        upper = scene.add(Box(plaster, extents=UPPER), at=yard[order[1]])
        roof = scene.add(Roof(tile, extents=ROOF), at=yard[order[2]])
        walls = [
            scene.add(Box(brick, extents=WALL), at=Pose(x, side * 0.365)) for x in (0.43, 0.57)
        ]
        corner = scene.add(Corner(paint), at=scene.reserve(radius=0.12))
        fits = [corner.pose @ pose for pose in corner.asset.inner(GROUND)]
        round_ = scene.add(Zone(dump, width=0.17, shape="round"))
        scene.add(Zone(paint, width=0.15))
        pile = scene.add(Pile(rubble, count=40))

        scene.goal(f"sweep the {rubble} crumbs into the round {dump} zone", pile, inside=round_)
        scene.goal(f"fit the {ground} into the {corner} as the ground floor", ground, at=fits)
        scene.goal(
            f"set the two {brick} boxes close beside the {ground} as garden walls",
            walls, next_to=ground,
        )  # fmt: skip
        scene.goal(f"put the {upper} on the {ground} as the upper floor", upper, on=ground)
        scene.goal(f"put the {roof} on the {upper}", roof, on=upper)

        scene.distract(Box(tile, extents=GROUND))
