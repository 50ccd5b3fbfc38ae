"""Copy a row of colour samples with blocks on a pallet."""

from gensim_envs.api import Block, Pallet, Pose, Scene, Stand, Task, line

SAMPLE = (0.03, 0.03, 0.005)  # metres
PITCH = 0.046  # metres between neighbouring blocks
BESIDE = 0.12  # metres from the middle of the pallet to the row of samples


class ColorOrderedBlocksOnPallet(Task):
    """Set five blocks on the pallet in the order of the colour samples beside it."""

    def build(self, scene: Scene) -> None:
        colors = scene.colors(5)
        (wood,) = scene.colors(1, exclude=colors)
        middle = scene.reserve(radius=0.16)
        pallet = scene.add(Pallet(wood), at=middle)
        samples = line(middle @ Pose(0, -BESIDE), 5, PITCH)
        for color, place in zip(colors, samples):
            scene.add(Stand(color, extents=SAMPLE), at=place)
        blocks = [scene.add(Block(color)) for color in colors]
        row = line(pallet.pose.up(pallet.asset.height), 5, PITCH)

        scene.goal(
            f"put each block on the {pallet} opposite the sample of its colour, along the middle",
            blocks,
            at=row,
        )
