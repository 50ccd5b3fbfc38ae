"""Load a pallet with boxes that arrive one by one."""

from gensim_envs.api import Box, Pallet, Pose, Scene, Task

SIZE = (0.055, 0.085, 0.035)  # metres: boxes with 5 mm between neighbours fill the pallet's width
PITCH = (0.06, 0.09)


class PalletizingBoxes(Task):
    """Stack eighteen boxes on a pallet in three layers of one colour each, box on box."""

    def build(self, scene: Scene) -> None:
        wood, *colors = scene.colors(4)
        pallet = scene.add(Pallet(wood))
        layers = [scene.add(Box(color, extents=SIZE), count=6, one_by_one=True) for color in colors]
        spots = [Pose((k % 3 - 1) * PITCH[0], (k // 3 - 0.5) * PITCH[1]) for k in range(6)]

        for level, layer in enumerate(layers):
            top = pallet.pose.up(pallet.asset.height + level * SIZE[2])
            for box, spot in zip(layer, spots, strict=True):
                scene.plan(box, at=top @ spot)
            if level == 0:
                scene.goal(
                    f"put the six {layer} on the {pallet} as the first layer", layer, on=pallet
                )
            else:
                below = layers[level - 1]
                scene.goal(f"put one of the six {layer} on each of the {below}", layer, on=below)
