"""Two heaps of crumbs, one of which has to go."""

from gensim_envs.api import Pile, Scene, Task, Zone


class FlourAndSalt(Task):
    """Brush the heap of the named color onto the patch and ignore the other heap."""

    def build(self, scene: Scene) -> None:
        floor, bread, other = scene.colors(3)
        patch = scene.add(Zone(floor, width=0.15))
        heap = scene.add(Pile(other))
        scene.distract(Pile(bread))

        scene.goal(
            f"whichever heap is {bread} belongs on the {floor} patch, so brush it over",
            heap,
            inside=patch,
        )
