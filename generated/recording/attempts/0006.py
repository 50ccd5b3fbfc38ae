"""Tidy up after a meal: put the cups away, then sweep the crumbs together."""

from gensim_envs.api import Container, Cylinder, Pile, Scene, Task, Zone


class ClearTheTable(Task):
    """Put the cups into a tray and sweep the crumbs into a round zone."""

    def build(self, scene: Scene) -> None:
        tin, cup, bread, paint = scene.colors(4)
        zone = scene.add(Zone(paint, width=0.15, shape="round"))
        tray = scene.add(Container(tin, extents=(0.16, 0.12, 0.03)))
        cups = scene.add(Cylinder(cup, diameter=0.045, length=0.05), count=2)
        crumbs = scene.add(Pile(bread))

        scene.goal(f"put the two {cups} into the {tray}", cups, inside=tray)
        scene.goal(f"sweep the {bread} crumbs into the round {zone}", crumbs, inside=zone)
