"""Assemble two kits of the same shapes, told apart by colour."""

from gensim_envs.api import KitBoard, KitPiece, Scene, Task


class ColorCoordinatedInsertion(Task):
    """Put every piece on its silhouette on the board of its own colour."""

    def build(self, scene: Scene) -> None:
        shapes = scene.shapes(2)
        colors = scene.colors(2)
        boards = [scene.add(KitBoard(color, shapes=tuple(shapes))) for color in colors]

        for color, board in zip(colors, boards):
            pieces = [scene.add(KitPiece(color, shape)) for shape in shapes]
            places = [board.pose @ board.asset.place(k) for k in range(len(shapes))]
            scene.goal(
                f"put the {pieces[0]} and the {pieces[1]} on their silhouettes on the {board}",
                pieces,
                at=places,
            )
