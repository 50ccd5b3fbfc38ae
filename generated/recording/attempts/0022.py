"""Load a pallet with a row of blocks whose order is told by what each stands between."""

from gensim_envs.api import Block, Pallet, Scene, Task


class ColorOrderedBlocksOnPallet(Task):
    """Put a block on each end of a pallet and three between them, in the order that is told."""

    def build(self, scene: Scene) -> None:
        wood, *colors, other = scene.colors(7)
        pallet = scene.add(Pallet(wood, extents=(0.36, 0.12, 0.02)))
        one, two, middle, left, right = (scene.add(Block(color)) for color in colors)
        scene.distract(Block(other))

        scene.goal(
            f"put the {one} and the {two} on the {pallet}, one on each end",
            [one, two],
            on=pallet,
            part="ends",
        )
        for block, ends in ((middle, [one, two]), (left, [one, middle]), (right, [middle, two])):
            scene.goal(
                f"put the {block} between the {ends[0]} and the {ends[1]}", block, between=ends
            )
