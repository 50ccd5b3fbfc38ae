"""Set up stairs of seven boxes along a line, each a centimetre higher than the one before."""

from gensim_envs.api import Box, Line, Pose, Scene, Stand, Task

TREAD = (0.026, 0.06)  # metres: along the line, and across it
PITCH = 0.03  # metres from step to step
RISE = 0.01  # metres
FOOT = (0.03, 0.06, 0.01)  # metres
STEPS = (
    "lowest", "second lowest", "third lowest", "middle",
    "third highest", "second highest", "highest",
)  # fmt: skip


class ClimbTheStairs(Task):
    """Stand seven boxes along a line by their height, the lowest next to the stand."""

    def build(self, scene: Scene) -> None:
        stone, paint, wood = scene.colors(3)
        middle = scene.reserve(radius=0.15)
        length = PITCH * len(STEPS)
        stripe = scene.add(Line(paint, length=length), at=middle)
        start = stripe.pose @ Pose(-length / 2, 0)
        foot = scene.add(Stand(wood, extents=FOOT), at=start @ Pose(-PITCH / 2, 0))

        for k, name in enumerate(STEPS):
            step = scene.add(Box(stone, extents=(TREAD[0], TREAD[1], 2 * RISE + k * RISE)))
            if k == 0:
                where, place = f"beside the {foot}, where the line begins", foot.pose @ Pose(PITCH, 0)
            else:
                where = f"next along the {stripe}, right behind the step before it"
                place = stripe.pose @ Pose((k + 0.5) * PITCH - length / 2, 0)
            scene.goal(f"stand the {name} box {where}", step, at=place)
