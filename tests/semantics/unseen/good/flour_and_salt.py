"""Two heaps of crumbs, one of which has to go."""

from gensim_envs.api import Pile, Scene, Task, Zone


class FlourAndSalt(Task):
    """Brush the heap that has the color of the patch onto it and ignore the other heap."""

    def build(self, scene: Scene) -> None:
        floor, other = scene.colors(2)
        patch = scene.add(Zone(floor, width=0.15))
        heap = scene.add(Pile(floor))
        scene.distract(Pile(other))

        scene.goal(
            f"whichever heap matches the {floor} patch in color belongs there, so brush it over",
            heap,
            inside=patch,
        )
