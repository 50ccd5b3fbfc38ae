"""Sweep a pile of crumbs into the named one of three letters, painted of square zones."""

from gensim_envs.api import Pile, Pose, Scene, Task, Zone

CELL = 0.063  # metres, width of a square
PITCH = 0.071  # metres from the middle of a square to the next
LETTERS = {  # columns and rows of the squares, from the middle of the letter
    "T": ((0, 1), (0, 0), (-1, 1), (1, 1), (0, -1)),
    "L": ((-0.5, 0), (-0.5, 1), (-0.5, -1), (0.5, -1)),
    "I": ((0, 0), (0, 1), (0, -1)),
}
REACH = {"T": 0.146, "L": 0.124, "I": 0.109}  # metres


class PushPilesIntoLetter(Task):
    """Sweep all crumbs into the big letter that is named: a T, an L or an I."""

    def build(self, scene: Scene) -> None:
        paint, crumb = scene.colors(2)
        pile = scene.add(Pile(crumb, count=20))
        letters = {}
        for name, squares in LETTERS.items():
            spot = scene.reserve(radius=REACH[name])
            middle = Pose(spot.x, spot.y, 0, 1.5708)  # upright in the picture
            letters[name] = [
                scene.add(Zone(paint, width=CELL), at=middle @ Pose(x * PITCH, y * PITCH))
                for x, y in squares
            ]
        name = tuple(LETTERS)[scene.rng.integers(3)]

        scene.goal(
            f"sweep all {crumb} crumbs into the big {name} of {paint} zones",
            pile,
            inside=letters[name],
        )
