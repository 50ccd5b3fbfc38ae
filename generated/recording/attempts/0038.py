"""Balance a plate on a ball that lies in a ring, and a second ring on the plate."""

import math

from gensim_envs.api import Ball, Box, Disk, Scene, Task

RING = 0.08  # metres across
BALL = 0.05  # metres across: its radius is more than the height of what balances on it
PLATE = (0.09, 0.09, 0.01)  # metres


class BalanceBeadsOnRings(Task):
    """Stack a ring, a ball, a flat box and a ring into a balancing tower."""

    def build(self, scene: Scene) -> None:
        low, toy, wood, high = scene.colors(4)
        foot = scene.reserve(radius=0.07)
        ring, top = (scene.add(Disk(color, RING)) for color in (low, high))
        ball = scene.add(Ball(toy, BALL))
        plate = scene.add(Box(wood, extents=PLATE))
        # From the upper side of a ring to the middle of a ball that lies in its hole.
        rise = math.sqrt((BALL / 2) ** 2 - (Disk.HOLE / 2) ** 2)
        seat = foot.up(Disk.THICKNESS + rise + BALL / 2)

        scene.goal(f"lay the {ring} down flat as the foot of a tower", ring, at=foot)
        scene.goal(f"put the {ball} into the hole of the {ring}", ball, on=ring)
        scene.goal(f"balance the {plate} on top of the tower", plate, at=seat)
        scene.goal(f"lay the {top} flat on the middle of the {plate}", top, on=plate)
