"""Insert L-shaped blocks at three heights."""

from gensim_envs.api import Disk, Ell, Fixture, Pose, Scene, Stand, Task

SIDE = 0.165  # metres, of a platform
HEIGHTS = {"lowest": 0.01, "second lowest": 0.035, "highest": 0.06}  # metres
SHIFT = -0.0115  # metres from the middle of a fixture's outline to its hole


class MultiLevelInsertion(Task):
    """Insert each L-shaped block on the platform of the named height, then top one with a disk."""

    def build(self, scene: Scene) -> None:
        wood, frame, metal, other, *colors = scene.colors(7)
        fixtures = {}
        for level, height in HEIGHTS.items():
            stand = scene.add(Stand(wood, extents=(SIDE, SIDE, height)))
            spot = stand.pose.up(height) @ Pose(SHIFT, SHIFT)
            fixtures[level] = scene.add(Fixture(frame), at=spot)
        ells = [scene.add(Ell(color)) for color in colors]
        disk = scene.add(Disk(metal, 0.06))

        for ell, level in zip(ells, ("highest", "lowest", "second lowest")):
            scene.goal(
                f"put the {ell.asset.color} L-shaped block into the {frame} fixture on the {level} "
                "platform",
                ell,
                at=fixtures[level],
            )
        k = scene.rng.integers(3)
        scene.goal(f"lay the {disk} on the {colors[k]} L-shaped block", disk, on=ells[k])
        scene.distract(Disk(other, 0.06))
