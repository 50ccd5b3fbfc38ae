"""Balance a ball on the ring at the top of a tapering tower."""

from gensim_envs.api import Ball, Box, Disk, Scene, Stand, Task

PLINTH = (0.11, 0.11, 0.015)  # metres
WIDTHS = {
    "widest": 0.095, "second widest": 0.083, "third widest": 0.071,
    "second narrowest": 0.059, "narrowest": 0.047,
}  # fmt: skip
HEIGHT = 0.03


class BalanceTheBallOnTheTower(Task):
    """Stack five boxes from the widest to the narrowest, a ring on top and a ball in its hole."""

    def build(self, scene: Scene) -> None:
        base, odd, even, metal, toy, *others = scene.colors(7)
        below = scene.add(Stand(base, extents=PLINTH))
        where = f"the {below}"

        for level, (name, width) in enumerate(WIDTHS.items()):
            box = scene.add(Box((odd, even)[level % 2], extents=(width, width, HEIGHT)))
            scene.goal(f"put the {name} box on {where}", box, on=below)
            below, where = box, f"the {name} one"

        ring = scene.add(Disk(metal, diameter=0.055))
        ball = scene.add(Ball(toy, diameter=0.045))
        scene.goal(f"lay the {metal} ring on the narrowest box", ring, on=below)
        scene.goal(f"balance the {ball} in the hole of the {metal} ring", ball, on=ring)

        for color in others:
            scene.distract(Disk(color, diameter=0.055))
            scene.distract(Ball(color, diameter=0.045))
