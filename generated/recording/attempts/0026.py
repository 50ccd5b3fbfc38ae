"""Play a game of noughts and crosses to a draw on a board of painted lines."""

from gensim_envs.api import Disk, KitPiece, Line, Pose, Scene, Task, grid

FIELD = 0.075  # metres from the middle of a field to the next
BOARD = 0.225  # metres
NOUGHT = 0.055  # metres across
ROWS = ("first", "second", "third")
GAME = (4, 0, 2, 6, 3, 5, 1, 7, 8)  # fields in the order of the turns; it ends in a draw


class PlayNoughtsAndCrosses(Task):
    """Set crosses and noughts on the nine fields in turn until the board is full."""

    def build(self, scene: Scene) -> None:
        paint, cross, nought = scene.colors(3)
        middle = scene.reserve(radius=0.17)
        for side in (-FIELD / 2, FIELD / 2):
            scene.add(Line(paint, length=BOARD), at=middle @ Pose(0, side))
            scene.add(Line(paint, length=BOARD), at=middle @ Pose(side, 0, 0, 1.5708))
        crosses = scene.add(KitPiece(cross, "plus"), count=5)
        noughts = scene.add(Disk(nought, diameter=NOUGHT), count=4)
        fields = grid(middle, rows=3, columns=3, spacing=FIELD)

        for turn, field in enumerate(GAME):
            piece = noughts[turn // 2] if turn % 2 else crosses[turn // 2]
            row, column = ROWS[field // 3], ROWS[field % 3]
            scene.goal(
                f"set a {piece} on the field in the {row} row and the {column} column",
                piece,
                at=fields[field],
            )
