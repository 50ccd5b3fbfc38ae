"""Put red blocks into green bowls."""

from gensim_envs.api import Block, Bowl, Scene, Task


class PlaceRedInGreen(Task):
    """Put every red block into a green bowl, among blocks and bowls of other colours."""

    def build(self, scene: Scene) -> None:
        bowls = scene.add(Bowl("green"), count=int(scene.rng.integers(1, 4)), fixed=True)
        blocks = scene.add(Block("red"), count=int(scene.rng.integers(1, len(bowls) + 1)))

        scene.goal("put each red block in its own green bowl", blocks, inside=bowls)

        first, second, third = scene.colors(3, exclude=["red", "green"])
        scene.distract(Block(first))
        scene.distract(Block(second))
        scene.distract(Bowl(third))
