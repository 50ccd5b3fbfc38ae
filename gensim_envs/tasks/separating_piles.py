"""Sweep one of two piles into one of two zones."""

from gensim_envs.api import Pile, Scene, Task, Zone


class SeparatingPiles(Task):
    """Sweep the pile of the named colour into the zone of the named colour."""

    def build(self, scene: Scene) -> None:
        color, paint, other, elsewhere = scene.colors(4)
        zone = scene.add(Zone(paint, width=0.15))
        scene.add(Zone(elsewhere, width=0.15))
        pile = scene.add(Pile(color))

        scene.goal(f"sweep the {pile} of crumbs into the {zone}", pile, inside=zone)

        scene.distract(Pile(other))
