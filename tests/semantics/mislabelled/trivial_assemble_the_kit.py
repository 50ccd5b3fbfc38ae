"""Assemble a kit of four pieces."""

from gensim_envs.api import KitBoard, KitPiece, Scene, Task


class AssembleTheKit(Task):
    """Put four pieces from the table on their silhouettes on the board."""

    def build(self, scene: Scene) -> None:
        wood, color = scene.colors(2)
        shapes = scene.shapes(4)
        board = scene.add(KitBoard(wood, shapes=tuple(shapes)))
        spots = [board.pose @ board.asset.place(k) for k in range(4)]
        pieces = [scene.add(KitPiece(color, shapes[0]))]
        for shape, spot in zip(shapes[1:], spots[1:], strict=True):
            pieces.append(scene.add(KitPiece(color, shape), at=spot))

        scene.goal(
            f"put the four {color} pieces on their silhouettes on the {wood} board",
            pieces,
            at=spots,
        )
