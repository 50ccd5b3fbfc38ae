"""Put a bowl into a painted square and a kit piece into the bowl."""

from gensim_envs.api import Bowl, KitPiece, OpenSquare, Scene, Task


class KitInBowlInSquare(Task):
    """Bring the named bowl into the square, then put the named shape into that bowl."""

    def build(self, scene: Scene) -> None:
        paint, clay, spare, wood = scene.colors(4)
        shape, *others = scene.shapes(3)
        square = scene.add(OpenSquare(paint, side=0.16))
        bowl = scene.add(Bowl(clay))
        piece = scene.add(KitPiece(wood, shape))

        scene.goal(f"put the {bowl} in the middle of the {square}", bowl, at=square)
        scene.goal(f"put the {piece} into the {bowl}", piece, inside=bowl)

        scene.distract(Bowl(spare))
        for other in others:
            scene.distract(KitPiece(wood, other))
