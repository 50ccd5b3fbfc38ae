"""Insert an L-shaped block into its fixture."""

from gensim_envs.api import Ell, Fixture, Scene, Task


class BlockInsertion(Task):
    """Put the L-shaped block into the L-shaped fixture."""

    def build(self, scene: Scene) -> None:
        block, frame = scene.colors(2)
        fixture = scene.add(Fixture(frame))
        ell = scene.add(Ell(block))

        scene.goal(f"put the {block} L-shaped block into the {fixture}", ell, at=fixture)
