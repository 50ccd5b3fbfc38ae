"""Build stairs on a row of stands and let a duck climb them."""

from gensim_envs.api import Box, Household, Pose, Scene, Stand, Task

TREAD = (0.09, 0.055)  # metres, across the stairs and along them
PITCH = 0.065  # metres from step to step
RISE = 0.02  # metres
STEPS = ("lowest", "second lowest", "second highest", "highest")


class ClimbTheStairs(Task):
    """Put four boxes by height on a row of stands, then take the duck up step by step."""

    def build(self, scene: Scene) -> None:
        stone, toy, other, *paints = scene.colors(7)
        middle = scene.reserve(radius=0.15)
        stands = [
            scene.add(Stand(paint, extents=(*TREAD, 0.015)), at=middle @ Pose(0, (k - 1.5) * PITCH))
            for k, paint in enumerate(paints)
        ]
        if scene.rng.random() < 0.5:
            stands.reverse()
        steps = [
            scene.add(Box(stone, extents=(*TREAD, (k + 1) * RISE))) for k in range(len(STEPS))
        ]
        duck = scene.add(Household(toy, "rubber_duck"))

        for name, step, stand in zip(STEPS, steps, stands):
            scene.goal(f"put the {name} {step} on the {stand}", step, on=stand)
        for name, step in zip(STEPS, steps):
            scene.goal(f"set the {duck} on the {name} {step}", duck, on=step)

        scene.distract(Household(other, "rubber_duck"))
