"""Raise two columns on a pallet: cylinder, block, cylinder, block."""

from gensim_envs.api import Block, Cylinder, Pallet, Pose, Scene, Task

DRUM = {"diameter": 0.05, "length": 0.04}  # metres
KEG = {"diameter": 0.04, "length": 0.03}  # metres
END = 0.07  # metres from the middle of the pallet to the middle of a column


class BlockOnCylinderOnPallet(Task):
    """Stack two columns of four levels on a pallet, cylinders and blocks in turn."""

    def build(self, scene: Scene) -> None:
        wood, drum, low, keg, high = scene.colors(5)
        pallet = scene.add(Pallet(wood))
        drums = scene.add(Cylinder(drum, diameter=DRUM["diameter"], length=DRUM["length"]), count=2)
        lows = scene.add(Block(low), count=2)
        kegs = scene.add(Cylinder(keg, diameter=KEG["diameter"], length=KEG["length"]), count=2)
        highs = scene.add(Block(high), count=2)
        ends = [Pose(-END, 0), Pose(END, 0)]

        scene.goal(
            f"stand the {drums} on the {pallet}, one near each end",
            drums,
            on=pallet,
            offset=ends,
        )
        scene.goal(f"put the {lows} on the {drums}, one on each", lows, on=drums)
        scene.goal(f"put the {kegs} on the {lows}, one on each", kegs, on=lows)
        scene.goal(f"put the {highs} on the {kegs}, one on each", highs, on=kegs)
