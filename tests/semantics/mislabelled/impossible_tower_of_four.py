"""Set four blocks on a platform, each named by its colour."""

from gensim_envs.api import Block, Pose, Scene, Stand, Task


class TowerOfFour(Task):
    """Set four blocks on the platform, each in its middle, one colour after another."""

    def build(self, scene: Scene) -> None:
        base, *colors = scene.colors(5)
        platform = scene.add(Stand(base, extents=(0.13, 0.13, 0.02)))

        for color in colors:
            block = scene.add(Block(color))
            scene.goal(
                f"set the {color} block in the middle of the {base} platform",
                block,
                on=platform,
                offset=Pose(0, 0),
            )
