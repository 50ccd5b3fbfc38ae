"""Assemble two kits of the same shapes, with pieces whose colours are said."""

from gensim_envs.api import KitBoard, KitPiece, Scene, Task


class ColorCoordinatedInsertion(Task):
    """Put pieces of the named colours on their silhouettes on the board that is named."""

    def build(self, scene: Scene) -> None:
        shapes = scene.shapes(2)
        wood, metal, *colors, spare = scene.colors(5)
        for board, paints in zip((wood, metal), (colors, colors[::-1])):
            kit = scene.add(KitBoard(board, shapes=tuple(shapes)))
            pieces = [scene.add(KitPiece(paint, shape)) for paint, shape in zip(paints, shapes)]
            places = [kit.pose @ kit.asset.place(k) for k in range(len(shapes))]
            scene.goal(
                f"put the {pieces[0]} and the {pieces[1]} on their silhouettes on the {kit}",
                pieces,
                at=places,
            )
        for shape in shapes:
            scene.distract(KitPiece(spare, shape))
