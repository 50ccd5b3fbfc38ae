"""Assemble a kit piece by piece, in the order in which they are named."""

from gensim_envs.api import KitBoard, KitPiece, Scene, Task


class AssemblingKitsSeq(Task):
    """Put five pieces on their silhouettes, each when its colour and shape are named."""

    def build(self, scene: Scene) -> None:
        shapes = scene.shapes(5)
        wood, *colors = scene.colors(6)
        kit = scene.add(KitBoard(wood, shapes=tuple(shapes)))

        for k, (color, shape) in enumerate(zip(colors, shapes, strict=True)):
            piece = scene.add(KitPiece(color, shape))
            place = kit.pose @ kit.asset.place(k)
            scene.goal(f"put the {piece} on its silhouette", piece, at=place)
