"""Stack three disks on the dark peg by size."""

from gensim_envs.api import Disk, PegStand, Scene, Task

DIAMETERS = (0.10, 0.08, 0.06)  # metres, largest first


class DisksOnAPeg(Task):
    """Stack three disks that lie on the table on the dark peg, the smallest at the bottom."""

    def build(self, scene: Scene) -> None:
        board, *colors = scene.colors(4)
        stand = scene.add(PegStand(board))
        disks = [
            scene.add(Disk(color, diameter))
            for color, diameter in zip(colors, DIAMETERS, strict=True)
        ]
        places = [stand.pose @ stand.asset.peg(2, level=level) for level in range(3)]

        scene.goal(
            "stack the three disks on the dark peg, the smallest at the bottom, the largest on top",
            disks,
            at=places,
        )
