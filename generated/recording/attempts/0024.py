"""Complete a kit in its colour and put away the pieces of the other one."""

from gensim_envs.api import Container, KitBoard, KitPiece, Scene, Task


class CompleteTheKit(Task):
    """Put the three missing pieces on the board, then those of the wrong colour into the bin."""

    def build(self, scene: Scene) -> None:
        wood, tin, right, wrong = scene.colors(4)
        shapes = scene.shapes(5)
        kit = scene.add(KitBoard(wood, shapes=tuple(shapes)))
        places = [kit.pose @ kit.asset.place(k) for k in range(5)]
        order = scene.rng.permutation(5)
        for k in order[:2]:
            scene.add(KitPiece(right, shapes[k]), at=places[k], fixed=True)
        missing = [scene.add(KitPiece(right, shapes[k])) for k in order[2:]]
        spares = [scene.add(KitPiece(wrong, shapes[k])) for k in order[2:]]
        box = scene.add(Container(tin, extents=(0.27, 0.11, 0.05)))
        first, second, third = missing

        scene.goal(
            f"put the {first}, the {second} and the {third} on their silhouettes on the {kit}",
            missing,
            at=[places[k] for k in order[2:]],
        )
        scene.goal(f"put all three {wrong} pieces into the {box}", spares, inside=box)
