"""Build a small tower and put a roof over it."""

from gensim_envs.api import Block, Box, Roof, Scene, Stand, Task


class CrownTheTower(Task):
    """Set a block on the stand, lay a box over it and hang a roof above both."""

    def build(self, scene: Scene) -> None:
        base, low, middle, tile = scene.colors(4)
        stand = scene.add(Stand(base, extents=(0.10, 0.10, 0.02)))
        block = scene.add(Block(low))
        box = scene.add(Box(middle, extents=(0.07, 0.07, 0.02)))
        roof = scene.add(Roof(tile, extents=(0.08, 0.07, 0.03)))
        floor = stand.pose.up(stand.asset.height)

        scene.goal(f"set the {low} block in the middle of the {base} stand", block, at=floor)
        scene.goal(f"lay the {middle} box on top of the {low} block", box, on=block)
        scene.goal(f"put the {tile} roof above the {base} stand's tower", roof, at=floor.up(0.12))
