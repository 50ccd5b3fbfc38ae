"""Assemble a kit: every piece on its silhouette."""

from gensim_envs.api import KitBoard, KitPiece, Scene, Task


class AssemblingKits(Task):
    """Put five pieces of different shapes on their silhouettes on the board."""

    def build(self, scene: Scene) -> None:
        shapes = scene.shapes(5)
        wood, *colors = scene.colors(6)
        kit = scene.add(KitBoard(wood, shapes=tuple(shapes)))
        pieces = [
            scene.add(KitPiece(color, shape)) for color, shape in zip(colors, shapes, strict=True)
        ]
        places = [kit.pose @ kit.asset.place(k) for k in range(5)]

        scene.goal(f"put each piece on its silhouette on the {kit}", pieces, at=places)
