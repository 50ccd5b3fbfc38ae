"""Insert an L-shaped block and build a gate on its two arms."""

import math

from gensim_envs.api import Block, Box, Ell, Fixture, Pose, Scene, Task

NEAR = -0.01875  # metres from the ell's centroid to the middle of an arm
TIP = 0.04125  # metres from the ell's centroid to the place of a cube on the end of an arm
HEIGHT = 0.04  # metres, of the ell and of a cube
BEAM = (0.13, 0.03, 0.015)


class SequentialInsertionAndStacking(Task):
    """Insert the L-shaped block, set a cube on each of its arms and a beam across the cubes."""

    def build(self, scene: Scene) -> None:
        frame, color, stone, wood = scene.colors(4)
        fixture = scene.add(Fixture(frame))
        ell = scene.add(Ell(color))
        cubes = scene.add(Block(stone), count=2)
        beam = scene.add(Box(wood, extents=BEAM))
        tips = [Pose(TIP, NEAR), Pose(NEAR, TIP)]
        between = Pose((TIP + NEAR) / 2, (TIP + NEAR) / 2, 2 * HEIGHT, -math.pi / 4)

        scene.goal(f"put the {color} L-shaped block into the {fixture}", ell, at=fixture)
        scene.goal(
            f"set a {stone} cube on the end of each arm of the {color} L-shaped block",
            cubes,
            on=ell,
            offset=tips,
        )
        scene.goal(
            f"lay the {beam} across the two {stone} cubes", beam, at=fixture.pose @ between
        )
