"""Stack a rainbow on a cloud: five colours in their natural order, red on top."""

from gensim_envs.api import Block, Scene, Stand, Task

CLOUD = {"train": "gray", "test": "white"}
RAINBOW = {  # from the inside of the bow to the outside, as far as the split has the colours
    "train": ("blue", "cyan", "green", "yellow", "red"),
    "test": ("purple", "blue", "green", "orange", "red"),
}
HILL = (0.07, 0.07, 0.015)  # metres


class RainbowStack(Task):
    """Stack six blocks: a cloud, and on it the colours of the rainbow up to red."""

    def build(self, scene: Scene) -> None:
        cloud, rainbow = CLOUD[scene.split], RAINBOW[scene.split]
        (earth,) = scene.colors(1, exclude=[cloud, *rainbow])
        hill = scene.add(Stand(earth, extents=HILL))
        below = scene.add(Block(cloud))
        scene.goal(f"put the {below} on the {hill} as the cloud", below, on=hill)

        for color in rainbow:
            block = scene.add(Block(color))
            scene.goal(
                f"put the {block} on the {below}, in the order of the rainbow", block, on=below
            )
            below = block
