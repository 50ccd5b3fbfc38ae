"""Sweep a pile of crumbs into a letter painted of square zones."""

from gensim_envs.api import Pile, Pose, Scene, Task, Zone

CELL = 0.085  # metres
LETTER_T = ((0, 1), (-1, 1), (1, 1), (0, 0), (0, -1))  # columns and rows, the junction first


class PushPilesIntoLetter(Task):
    """Sweep the crumbs into a big T that is made of five square zones."""

    def build(self, scene: Scene) -> None:
        paint, crumb = scene.colors(2)
        middle = scene.reserve(radius=2.2 * CELL)
        letter = [
            scene.add(Zone(paint, width=CELL), at=middle @ Pose(column * CELL, row * CELL))
            for column, row in LETTER_T
        ]
        pile = scene.add(Pile(crumb))

        scene.goal(
            f"sweep the {crumb} crumbs into the big T of {paint} zones", pile, inside=letter
        )
