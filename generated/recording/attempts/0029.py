"""Set two bowls in painted squares and put a kit piece into each."""

from gensim_envs.api import Bowl, KitPiece, OpenSquare, Scene, Task


class KitInBowlInSquare(Task):
    """Bring each named bowl into the named square, then the named shape into that bowl."""

    def build(self, scene: Scene) -> None:
        *paints, clay, china, spare, wood = scene.colors(6)
        *shapes, other = scene.shapes(3, exclude=["square", "letter M"])
        squares = [scene.add(OpenSquare(paint, side=0.16)) for paint in paints]

        for square, glaze, shape in zip(squares, (clay, china), shapes):
            bowl = scene.add(Bowl(glaze))
            piece = scene.add(KitPiece(wood, shape))
            scene.goal(f"put the {bowl} in the middle of the {square}", bowl, at=square)
            scene.goal(f"put the {piece} into the {bowl}", piece, inside=bowl)

        scene.distract(Bowl(spare))
        scene.distract(KitPiece(wood, other))
