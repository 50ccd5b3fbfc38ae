"""Sweep a building site, then build a house into a painted corner and wall it in."""

from gensim_envs.api import Box, Corner, Pile, Pose, Roof, Scene, Task, Zone

GROUND = (0.10, 0.07, 0.04)  # metres
UPPER = (0.08, 0.055, 0.03)
ROOF = (0.10, 0.07, 0.035)
WALL = (0.08, 0.015, 0.02)
OUTSIDE = 0.03  # metres from the inner edge of the corner to the middle of a wall


class SweepTheBuildingSite(Task):
    """Sweep up the rubble, stack a house in the corner and lay a wall along each of its arms."""

    def build(self, scene: Scene) -> None:
        paint, mark, rubble, stone, plaster, tile, brick = scene.colors(7)
        dump = scene.add(Zone(paint, width=0.15, shape="round"))
        corner = scene.add(Corner(mark), at=scene.reserve(radius=0.12))
        pile = scene.add(Pile(rubble))
        ground = scene.add(Box(stone, extents=GROUND))
        upper = scene.add(Box(plaster, extents=UPPER))
        roof = scene.add(Roof(tile, extents=ROOF))
        walls = scene.add(Box(brick, extents=WALL), count=2)
        fits = [corner.pose @ pose for pose in corner.asset.inner(GROUND)]
        arms = [Pose(0.05, -OUTSIDE), Pose(-OUTSIDE, 0.05, 0, 1.5708)]

        scene.goal(f"sweep the {rubble} crumbs into the round {dump}", pile, inside=dump)
        scene.goal(f"fit the {ground} into the {corner} as the ground floor", ground, at=fits)
        scene.goal(f"put the {upper} on the {ground} as the upper floor", upper, on=ground)
        scene.goal(f"put the {roof} on the {upper}", roof, on=upper)
        scene.goal(
            f"lay a {brick} box along the outside of each arm of the {corner} as a garden wall",
            walls,
            at=[corner.pose @ arm for arm in arms],
        )
