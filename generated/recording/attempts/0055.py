"""Stack columns of different heights inside a narrow container, layer by layer."""

from gensim_envs.api import Block, Container, Scene, Task

BIN = (0.20, 0.07, 0.05)  # metres: room for three blocks in a row
LAYERS = ((3, 2, 1), (3, 1, 1), (2, 2, 1), (2, 1, 1))  # blocks in the second layer and above


class StackBlocksInContainer(Task):
    """Stand three blocks in a container and stack fewer and fewer on them up to the fourth layer."""

    def build(self, scene: Scene) -> None:
        tin, lowest, *upper, spare = scene.colors(6)
        bin = scene.add(Container(tin, extents=BIN))
        below = scene.add(Block(lowest), count=3)

        scene.goal(f"put the three {below} into the {bin}", below, inside=bin)
        for color, count in zip(upper, LAYERS[scene.rng.integers(4)], strict=True):
            layer = scene.add(Block(color), count=count)
            base = f"{below[0]}"
            if count == 1:
                text = f"put the {layer} on {'a' if len(below) > 1 else 'the'} {base}"
            else:
                number = ("two", "three")[count - 2]
                text = f"put the {number} {layer} on {base}s, each on one of its own"
            scene.goal(text, layer, on=list(below))
            below = layer

        scene.distract(Block(spare), count=2)
