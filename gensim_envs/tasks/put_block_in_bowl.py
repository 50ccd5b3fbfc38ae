"""Put blocks into bowls, told apart by colour."""

from gensim_envs.api import Block, Bowl, Scene, Task


class PutBlockInBowl(Task):
    """Put every block of one colour into a bowl of another colour."""

    def build(self, scene: Scene) -> None:
        block, bowl, *others = scene.colors(6)
        bowls = scene.add(Bowl(bowl), count=int(scene.rng.integers(1, 4)), fixed=True)
        blocks = scene.add(Block(block), count=int(scene.rng.integers(1, len(bowls) + 1)))

        scene.goal(f"put each {block} block in its own {bowl} bowl", blocks, inside=bowls)

        for color in others[:2]:
            scene.distract(Block(color))
        scene.distract(Bowl(others[2]))
