"""Set up a spiral stair of seven boxes, each a centimetre higher than the one before."""

from gensim_envs.api import Box, Scene, Task, ring

TREAD = (0.06, 0.04)  # metres: away from the middle, and along the way
RISE = 0.01  # metres from step to step
RADIUS = 0.09  # metres from the middle of the stair to the middle of a step
STEPS = (
    "lowest", "second lowest", "third lowest", "middle",
    "third highest", "second highest", "highest",
)  # fmt: skip


class ClimbTheSpiralStairs(Task):
    """Stand seven boxes round a middle by their height, from the lowest to the highest."""

    def build(self, scene: Scene) -> None:
        stone, last = scene.colors(2)
        middle = scene.reserve(radius=RADIUS + 0.04)
        places = ring(middle, len(STEPS) + 1, radius=RADIUS)

        for k, (name, place) in enumerate(zip(STEPS, places)):
            color = last if k == len(STEPS) - 1 else stone
            height = 2 * RISE + k * RISE
            step = scene.add(Box(color, extents=(TREAD[0], TREAD[1], height)))
            scene.goal(
                f"stand the {name} box, which is {color}, next in the spiral stair",
                step,
                at=place,
            )
