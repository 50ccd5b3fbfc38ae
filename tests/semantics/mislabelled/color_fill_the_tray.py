"""Put the blocks of one colour into the tray of another."""

from gensim_envs.api import Block, Container, Scene, Task


class FillTheTray(Task):
    """Put two blocks of one colour into the tray of another colour, and leave the rest alone."""

    def build(self, scene: Scene) -> None:
        one, other = scene.colors(2)
        tray = scene.add(Container(other, extents=(0.14, 0.10, 0.04)))
        scene.add(Container(one, extents=(0.14, 0.10, 0.04)))
        blocks = scene.add(Block(one), count=2)

        scene.goal(f"put the two {other} blocks into the {one} tray", blocks, inside=tray)

        scene.distract(Block(other), count=2)
