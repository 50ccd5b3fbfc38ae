"""Pack two pieces, told by colour and shape, into a tray."""

from gensim_envs.api import Container, KitPiece, Scene, Task


class PackTwoPieces(Task):
    """Pack two pieces of different shape and colour into the tray and leave a third outside."""

    def build(self, scene: Scene) -> None:
        tin, one, other, spare = scene.colors(4)
        first, second, third = scene.shapes(3)
        tray = scene.add(Container(tin, extents=(0.22, 0.14, 0.04)))
        pieces = [scene.add(KitPiece(one, first)), scene.add(KitPiece(other, second))]

        scene.goal(
            f"pack the {one} {first} and the {other} {second} into the {tin} tray",
            pieces,
            inside=tray,
        )

        scene.distract(KitPiece(spare, third))
