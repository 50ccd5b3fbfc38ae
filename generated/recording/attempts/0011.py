"""Raise two columns on a pallet: cylinder, block, cylinder, block."""

from gensim_envs.api import Block, Cylinder, Pallet, Scene, Task

DRUM = {"diameter": 0.05, "length": 0.04}  # metres
KEG = {"diameter": 0.04, "length": 0.03}


class BlockOnCylinderOnPallet(Task):
    """Stack two columns of four levels on a pallet, cylinders and blocks in turn."""

    def build(self, scene: Scene) -> None:
        wood, drum, low, keg, high, *others = scene.colors(7)
        pallet = scene.add(Pallet(wood))
        drums = scene.add(Cylinder(drum, **DRUM), count=2)
        lows = scene.add(Block(low), count=2)
        kegs = scene.add(Cylinder(keg, **KEG), count=2)
        highs = scene.add(Block(high), count=2)

        scene.goal(
            f"stand a {drum} cylinder on each end of the {pallet}", drums, on=pallet, part="ends"
        )
        scene.goal(f"put a {low} block on each {drum} cylinder", lows, on=drums)
        scene.goal(f"put a {keg} cylinder on each {low} block", kegs, on=lows)
        scene.goal(f"put a {high} block on each {keg} cylinder", highs, on=kegs)

        for color in others:
            scene.distract(Block(color))
            scene.distract(Cylinder(color, **DRUM))
