"""Load a pallet with boxes that arrive one by one."""

from gensim_envs.api import Box, Pallet, Pose, Scene, Task

SIZE = (0.055, 0.085, 0.035)  # metres: boxes with 5 mm between neighbours fill the pallet's width
PITCH = (0.06, 0.09)


class PalletizingBoxes(Task):
    """Stack eighteen boxes on a pallet in three layers, each laid across the one below."""

    def build(self, scene: Scene) -> None:
        wood, color = scene.colors(2)
        pallet = scene.add(Pallet(wood))
        boxes = scene.add(Box(color, extents=SIZE), count=18, one_by_one=True)
        layer = [Pose((k % 3 - 1) * PITCH[0], (k // 3 - 0.5) * PITCH[1]) for k in range(6)]
        places = [
            pallet.pose.up(pallet.asset.height + level * SIZE[2])
            @ Pose(0, 0, 0, level % 2 * 1.5708)
            @ spot
            for level in range(3)
            for spot in layer
        ]

        scene.goal(f"stack all {color} boxes on the {pallet}", boxes, at=places)
