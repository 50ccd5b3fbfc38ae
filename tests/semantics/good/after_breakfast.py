"""Clean up after breakfast."""

from gensim_envs.api import Bowl, Container, Pile, Scene, Task, Zone


class AfterBreakfast(Task):
    """Put the bowl into the bin, then sweep the crumbs into the zone."""

    def build(self, scene: Scene) -> None:
        clay, tin, bread, paint = scene.colors(4)
        zone = scene.add(Zone(paint, width=0.16))
        bin = scene.add(Container(tin, extents=(0.16, 0.16, 0.04)))
        bowl = scene.add(Bowl(clay))
        crumbs = scene.add(Pile(bread))

        scene.goal(f"put the {clay} bowl into the {tin} bin", bowl, inside=bin)
        scene.goal(f"sweep the {bread} crumbs into the {paint} zone", crumbs, inside=zone)
