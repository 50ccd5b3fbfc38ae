"""Spell a letter with a rope."""

import math

from gensim_envs.api import Line, Pose, Rope, Scene, Task

HALF_WIDTH = 0.025  # metres
HALF_HEIGHT = 0.059


class RopeSpellsZ(Task):
    """Lay the rope along a big painted Z."""

    def build(self, scene: Scene) -> None:
        paint, cord = scene.colors(2)
        page = scene.reserve(radius=0.08)
        corners = [
            Pose(-HALF_WIDTH, HALF_HEIGHT), Pose(HALF_WIDTH, HALF_HEIGHT),
            Pose(-HALF_WIDTH, -HALF_HEIGHT), Pose(HALF_WIDTH, -HALF_HEIGHT),
        ]
        strokes = []
        for a, b in zip(corners, corners[1:]):
            middle = Pose((a.x + b.x) / 2, (a.y + b.y) / 2, 0, math.atan2(b.y - a.y, b.x - a.x))
            stroke = Line(paint, length=a.distance(b))
            strokes.append(scene.add(stroke, at=page @ middle))
        rope = scene.add(Rope(cord))
        first = strokes[0].pose @ strokes[0].asset.path()[0]

        scene.goal(
            f"lay the {rope} along the whole big Z of {paint} stripes",
            rope,
            along=[first, *(stroke.pose @ stroke.asset.path()[1] for stroke in strokes)],
        )
