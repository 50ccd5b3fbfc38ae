"""Insert one of two L-shaped blocks and build a gate on its two arms."""

from gensim_envs.api import Block, Box, Cylinder, Ell, Fixture, Pose, Scene, Task

NEAR = -0.01875  # metres from the ell's centroid to the middle of an arm
TIP = 0.04125  # metres from the ell's centroid to the place of a cube on the end of an arm
BEAM = (0.13, 0.03, 0.015)  # metres


class SequentialInsertionAndStacking(Task):
    """Insert the L-shaped block, set a cube on each arm, a beam across and a cylinder on top."""

    def build(self, scene: Scene) -> None:
        frame, other, color, spare, stone, wood = scene.colors(6)
        fixture = scene.add(Fixture(frame))
        scene.add(Fixture(other))
        ell = scene.add(Ell(color))
        cubes = scene.add(Block(stone), count=2)
        beam = scene.add(Box(wood, extents=BEAM))
        post = scene.add(Cylinder(spare, diameter=0.03))

        scene.goal(f"put the {color} L-shaped block into the {fixture}", ell, at=fixture)
        scene.goal(
            f"set a {stone} cube on the end of each arm of the {color} L-shaped block",
            cubes, on=ell, offset=[Pose(TIP, NEAR), Pose(NEAR, TIP)],
        )  # fmt: skip
        scene.goal(f"lay the {beam} across the two {stone} cubes", beam, on=tuple(cubes))
        scene.goal(f"stand the {post} on the {beam}", post, on=beam)

        scene.distract(Ell(spare))
        scene.distract(Block(color), count=2)
