"""Pack household objects in the order in which they are named."""

from gensim_envs.api import Container, Scene, Task


class PackingObjectsSeq(Task):
    """Pack three of six household objects into the container, one after another."""

    def build(self, scene: Scene) -> None:
        objects = scene.objects(6)
        (paint,) = scene.colors(1, exclude=[kind.color for kind in objects[:3]])
        container = scene.add(Container(paint, extents=(0.26, 0.20, 0.06)))

        for kind in objects[:3]:
            thing = scene.add(kind)
            scene.goal(f"pack the {thing} into the {container}", thing, inside=container)

        for kind in objects[3:]:
            scene.distract(kind)
        scene.ordered()
