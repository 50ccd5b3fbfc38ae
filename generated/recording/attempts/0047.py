"""Play a game of noughts and crosses on a painted board."""

from gensim_envs.api import Disk, KitPiece, Line, Pose, Scene, Task, Zone

FIELD = 0.075  # metres, width of a field
PITCH = 0.085  # metres from the middle of a field to the next, a line of 1 cm between them
ROWS = ("top", "middle", "bottom")  # x grows towards the bottom of the picture
COLUMNS = ("left", "middle", "right")  # y grows to its right
GAMES = (  # fields in the order of the turns, row by row from the top left one
    (4, 0, 2, 6, 3, 5, 1, 7, 8),  # a draw
    (0, 4, 8, 2, 6, 3, 7),  # crosses win the bottom row
    (0, 4, 1, 2, 3, 6),  # noughts win a diagonal
)


class PlayNoughtsAndCrosses(Task):
    """Set crosses and noughts in turn, each on the field that is named, until the game is over."""

    def build(self, scene: Scene) -> None:
        paint, ink, cross, nought = scene.colors(4)
        spot = scene.reserve(radius=0.18)
        middle = Pose(spot.x, spot.y)
        fields = [
            [
                scene.add(Zone(paint, width=FIELD), at=middle @ Pose(x * PITCH, y * PITCH))
                for y in (-1, 0, 1)
            ]
            for x in (-1, 0, 1)
        ]
        for side in (-PITCH / 2, PITCH / 2):
            scene.add(Line(ink, length=3 * PITCH), at=middle @ Pose(0, side))
            scene.add(Line(ink, length=3 * PITCH), at=middle @ Pose(side, 0, 0, 1.5708))
        game = GAMES[scene.rng.integers(len(GAMES))]
        flipped, turned = scene.rng.integers(2), scene.rng.integers(2)
        crosses = scene.add(KitPiece(cross, "plus"), count=(len(game) + 1) // 2)
        noughts = scene.add(Disk(nought, diameter=0.055), count=len(game) // 2)

        for turn, field in enumerate(game):
            row, column = field // 3, field % 3
            if flipped:
                row = 2 - row
            if turned:
                row, column = column, row
            who, piece = (
                ("noughts", noughts[turn // 2]) if turn % 2 else ("crosses", crosses[turn // 2])
            )
            zone = fields[row][column]
            scene.goal(
                f"it is the turn of the {who}: set a {piece} on the {zone} in the {ROWS[row]} row "
                f"and the {COLUMNS[column]} column of the board",
                piece,
                inside=zone,
            )
        scene.ordered()
