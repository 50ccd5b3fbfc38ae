"""Walk an L-shaped block round the inside of a square and insert it in the middle."""

import math

from gensim_envs.api import Ell, Fixture, OpenSquare, Pose, Scene, Task

SIDE = 0.30  # metres
CORNER = SIDE / 2 - 0.012 - 0.03875  # metres: the ell's outer sides keep 7 mm from the paint
CORNERS = ("near left", "far left", "far right", "near right")


class InsertEllAlongSquarePath(Task):
    """Bring the block into the corners of the square, one after another, then into the fixture."""

    def build(self, scene: Scene) -> None:
        paint, frame, color, *others = scene.colors(5)
        square = scene.add(OpenSquare(paint, side=SIDE))
        fixture = scene.add(Fixture(frame), at=square.pose)
        ell = scene.add(Ell(color))
        for other in others:
            scene.distract(Ell(other))
        turned = [square.pose.turned(-k * math.pi / 2) for k in range(4)]
        marks = scene.mark(ell, [corner @ Pose(-CORNER, -CORNER) for corner in turned])

        start, way = scene.rng.integers(4), scene.rng.choice((-1, 1))
        for step in range(4):
            k = (start + way * step) % 4
            scene.goal(
                f"fit the {color} L-shaped block into the outline in the {CORNERS[k]} corner of "
                "the square, as seen from its open side",
                ell,
                at=marks[k],
            )
        scene.goal(f"put the {color} L-shaped block into the {fixture}", ell, at=fixture)
