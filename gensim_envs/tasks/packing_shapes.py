"""Pick one shape out of five."""

from gensim_envs.api import Container, KitPiece, Scene, Task


class PackingShapes(Task):
    """Pack the named shape into the container and leave the other four."""

    def build(self, scene: Scene) -> None:
        paint, *colors = scene.colors(6)
        container = scene.add(Container(paint, extents=(0.16, 0.14, 0.05)))
        shape, *others = scene.shapes(5)
        piece = scene.add(KitPiece(colors[0], shape))

        scene.goal(f"pack the {shape} into the {container}", piece, inside=container)

        for color, other in zip(colors[1:], others, strict=True):
            scene.distract(KitPiece(color, other))
