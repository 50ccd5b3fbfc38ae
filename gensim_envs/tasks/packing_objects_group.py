"""Pack all household objects of one kind."""

from gensim_envs.api import Container, Scene, Task


class PackingObjectsGroup(Task):
    """Pack every object of the named kind into the container and leave the others."""

    def build(self, scene: Scene) -> None:
        kind, *others = scene.objects(4)
        (paint,) = scene.colors(1, exclude=[kind.color])
        container = scene.add(Container(paint, extents=(0.26, 0.20, 0.06)))
        things = scene.add(kind, count=int(scene.rng.integers(2, 4)))

        scene.goal(f"pack all {things} into the {container}", things, inside=container)

        for other in others:
            scene.distract(other)
        scene.distract(others[0])
