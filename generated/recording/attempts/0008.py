"""Complete a kit with the pieces that belong to it and put away the ones that do not."""

from gensim_envs.api import Container, KitBoard, KitPiece, Scene, Task


class CompleteTheKit(Task):
    """Put three pieces on their silhouettes, then the two spare pieces into the bin."""

    def build(self, scene: Scene) -> None:
        wood, tin, *colors = scene.colors(5)
        shapes = scene.shapes(5)
        kit = scene.add(KitBoard(wood, shapes=tuple(shapes[:3])))
        bin = scene.add(Container(tin, extents=(0.20, 0.12, 0.04)))
        pieces = [scene.add(KitPiece(color, shape)) for color, shape in zip(colors, shapes)]
        spares = [scene.add(KitPiece(colors[0], shape)) for shape in shapes[3:]]

        for k, piece in enumerate(pieces):
            place = kit.pose @ kit.asset.place(k)
            scene.goal(f"put the {piece} on its silhouette on the {kit}", piece, at=place)
        scene.goal(
            f"put the spare {spares[0]} and the spare {spares[1]} into the {bin}",
            spares,
            inside=bin,
        )
