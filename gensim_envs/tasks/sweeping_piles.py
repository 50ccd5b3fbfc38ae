"""Sweep a pile of crumbs into a zone."""

from gensim_envs.api import Pile, Scene, Task, Zone


class SweepingPiles(Task):
    """Sweep the pile of crumbs into the square zone."""

    def build(self, scene: Scene) -> None:
        color, paint = scene.colors(2)
        zone = scene.add(Zone(paint, width=0.14))
        pile = scene.add(Pile(color))

        scene.goal(f"sweep the {pile} of crumbs into the {zone}", pile, inside=zone)
