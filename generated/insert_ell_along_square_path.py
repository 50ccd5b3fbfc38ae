"""Walk an L-shaped block round the inside of a square and insert it in the middle."""

import math

from gensim_envs.api import Ell, Fixture, OpenSquare, Pose, Scene, Task

SIDE = 0.30  # metres
CORNER = SIDE / 2 - 0.007 - 0.03875  # metres: the ell's outer sides keep 2 mm from the paint
TURNS = {"left open": 0, "left far": -1, "right far": -2, "right open": -3}  # quarter turns


class InsertEllAlongSquarePath(Task):
    """Bring the block into each corner of the square in turn, then into the fixture."""

    def build(self, scene: Scene) -> None:
        paint, frame, color = scene.colors(3)
        square = scene.add(OpenSquare(paint, side=SIDE))
        fixture = scene.add(Fixture(frame), at=square.pose)
        ell = scene.add(Ell(color))

        for name, quarter in TURNS.items():
            turned = square.pose.turned(quarter * math.pi / 2)
            scene.goal(
                f"fit the {color} L-shaped block into the {name} corner of the {square}, "
                "as seen from its open side",
                ell,
                at=turned @ Pose(-CORNER, -CORNER),
            )
        scene.goal(f"put the {color} L-shaped block into the {fixture}", ell, at=fixture)
