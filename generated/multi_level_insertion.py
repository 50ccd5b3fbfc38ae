"""Insert L-shaped blocks at three heights, each on the platform of its colour."""

from gensim_envs.api import Disk, Ell, Fixture, Pose, Scene, Stand, Task

SIDE = 0.165  # metres, of a platform
HEIGHTS = {"lowest": 0.01, "middle": 0.03, "highest": 0.05}  # metres
SHIFT = -0.0115  # metres from the middle of a fixture's outline to its centroid
ELBOW = -0.01875  # metres from the ell's centroid to the middle of its elbow, along both axes


class MultiLevelInsertion(Task):
    """Fill the fixtures from the lowest platform to the highest and lay a disk on each block."""

    def build(self, scene: Scene) -> None:
        frame, metal, *colors = scene.colors(5)
        ells, fixtures = [], []
        for color, height in zip(colors, HEIGHTS.values()):
            stand = scene.add(Stand(color, extents=(SIDE, SIDE, height)))
            spot = stand.pose.up(height) @ Pose(SHIFT, SHIFT)
            fixtures.append(scene.add(Fixture(frame), at=spot))
            ells.append(scene.add(Ell(color)))
        disks = scene.add(Disk(metal, 0.05), count=3)

        for level, ell, fixture in zip(HEIGHTS, ells, fixtures):
            color = ell.asset.color
            scene.goal(
                f"put the {color} L-shaped block into the {fixture} on the {level} level, "
                f"which is {color}, too",
                ell,
                at=fixture,
            )
        scene.goal(
            f"lay a {metal} disk on the elbow of each of the three L-shaped blocks",
            disks,
            on=ells,
            offset=Pose(ELBOW, ELBOW),
        )
