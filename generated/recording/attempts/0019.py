"""Bring the ducks into the pen, and close its gate with a rope."""

import math

from gensim_envs.api import Box, Cylinder, Household, Pose, Rope, Scene, Task, Zone

PEN = 0.20  # metres across the grass
FENCE = (0.20, 0.015, 0.04)
POST = {"diameter": 0.03, "length": 0.06}


class CloseTheGate(Task):
    """Put the ducks of one colour into a fenced pen and stretch a rope from gate post to post."""

    def build(self, scene: Scene) -> None:
        grass, wood, stone, cord, flock, *others = scene.colors(7)
        middle = scene.reserve(radius=0.195)
        gate = (Rope.LENGTH + POST["diameter"] + Rope.BEAD) / 2
        pen = scene.add(Zone(grass, width=PEN), at=middle)
        for place in (Pose(-0.12, 0, 0, math.pi / 2), Pose(0.12, 0, 0, math.pi / 2), Pose(0, 0.12)):
            scene.add(Box(wood, extents=FENCE), at=middle @ place, fixed=True)
        posts = [
            scene.add(Cylinder(stone, **POST), at=middle @ Pose(x, -0.115), fixed=True)
            for x in (-gate, gate)
        ]
        ducks = scene.add(Household(flock, "rubber_duck"), count=2)
        rope = scene.add(Rope(cord))

        scene.goal(f"put both {ducks} into the {pen}", ducks, inside=pen)
        scene.goal(
            f"close the gate with the {rope} from one {stone} cylinder to the other",
            rope,
            along=posts,
        )

        for color in others:
            scene.distract(Household(color, "rubber_duck"))
