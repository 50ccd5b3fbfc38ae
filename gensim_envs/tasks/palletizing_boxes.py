"""Load a pallet with boxes that arrive one by one."""

from gensim_envs.api import Box, Pallet, Pose, Scene, Task

SIZE = (0.055, 0.085, 0.035)  # metres: boxes with 5 mm between neighbours fill the pallet's width
PITCH = (0.06, 0.09)
LAYERS = ("first", "second", "third")


class PalletizingBoxes(Task):
    """Stack eighteen boxes on a pallet in three layers, each box on one of the layer below."""

    def build(self, scene: Scene) -> None:
        wood, color = scene.colors(2)
        pallet = scene.add(Pallet(wood))
        boxes = scene.add(Box(color, extents=SIZE), count=18, one_by_one=True)
        spots = [Pose((k % 3 - 1) * PITCH[0], (k // 3 - 0.5) * PITCH[1]) for k in range(6)]

        for level, name in enumerate(LAYERS):
            layer = boxes[6 * level : 6 * level + 6]
            top = pallet.pose.up(pallet.asset.height + level * SIZE[2])
            for box, spot in zip(layer, spots, strict=True):
                scene.plan(box, at=top @ spot)
            if level == 0:
                scene.goal(
                    f"put six {color} boxes on the {pallet} as the {name} layer", layer, on=pallet
                )
            else:
                below = boxes[6 * level - 6 : 6 * level]
                scene.goal(
                    f"put six {color} boxes as the {name} layer, one on each box below",
                    layer, on=below,
                )  # fmt: skip
