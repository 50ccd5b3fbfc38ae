"""Stack three blocks of different colours in a given order."""

from gensim_envs.api import Block, Scene, Stand, Task, stack


class FlagTower(Task):
    """Stack three blocks on the stand in the order in which their colours are named."""

    def build(self, scene: Scene) -> None:
        base, *colors = scene.colors(4)
        stand = scene.add(Stand(base, extents=(0.08, 0.08, 0.015)))
        blocks = [scene.add(Block(color)) for color in colors]
        tower = stack(stand.pose.up(stand.asset.height), count=3, height=0.04)

        scene.goal(
            f"stack three blocks on the {base} stand, from bottom to top {', '.join(colors)}",
            blocks[::-1],
            at=tower,
        )
