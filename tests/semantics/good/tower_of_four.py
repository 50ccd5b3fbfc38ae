"""Build a tower of four blocks, each named by its colour."""

from gensim_envs.api import Block, Pose, Scene, Stand, Task


class TowerOfFour(Task):
    """Set a block in the middle of the platform and each further block on the one before it."""

    def build(self, scene: Scene) -> None:
        base, first, *others = scene.colors(5)
        platform = scene.add(Stand(base, extents=(0.13, 0.13, 0.02)))
        below = scene.add(Block(first))
        scene.goal(
            f"set the {first} block in the middle of the {base} platform",
            below,
            on=platform,
            offset=Pose(0, 0),
        )

        for color in others:
            block = scene.add(Block(color))
            scene.goal(f"set the {color} block on the {below}", block, on=below)
            below = block
