"""Balance a ball on the ring at the top of a tower of six boxes."""

from gensim_envs.api import Ball, Box, Disk, Scene, Stand, Task

PLINTH = (0.09, 0.09, 0.015)  # metres
WIDEST = 0.075  # metres, of the lowest box
TAPER = 0.004  # metres by which each box is narrower than the one below
HEIGHT = 0.03  # metres, of each box
RING = 0.06  # metres across
LEVELS = 6


class BalanceTheBallOnTheTower(Task):
    """Stack six boxes from the widest to the narrowest, a ring on top and a ball in its hole."""

    def build(self, scene: Scene) -> None:
        colors = scene.colors(LEVELS)
        base, metal, toy = scene.colors(3)
        below = scene.add(Stand(base, extents=PLINTH))

        for level, color in enumerate(colors):
            width = WIDEST - level * TAPER
            box = scene.add(Box(color, extents=(width, width, HEIGHT)))
            scene.goal(f"put the {box} on the {below}", box, on=below)
            below = box

        ring = scene.add(Disk(metal, diameter=RING))
        ball = scene.add(Ball(toy, diameter=0.045))
        scene.goal(f"lay the {metal} ring on the {below}", ring, on=below)
        scene.goal(f"balance the {ball} in the hole of the {metal} ring", ball, on=ring)
