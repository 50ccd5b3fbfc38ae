"""Something leaves a crate so that something else can move in."""

from gensim_envs.api import Container, Household, Pose, Scene, Task, Zone


class MakeRoom(Task):
    """Empty the crate onto the patch before anything new goes in."""

    def build(self, scene: Scene) -> None:
        wood, paint, tin, fur = scene.colors(4)
        crate = scene.add(Container(wood, extents=(0.24, 0.15, 0.04)))
        patch = scene.add(Zone(paint, width=0.12, shape="round"))
        can = scene.add(Household(tin, "soup_can"), at=crate.pose @ Pose(-0.065, 0, 0.005))
        loaf = scene.add(Household(fur, "bread_loaf"))

        scene.goal(
            f"begin by lifting the {tin} soup can out onto the {paint} patch", can, inside=patch
        )
        scene.goal(
            f"afterwards the {fur} bread loaf moves into the {wood} crate",
            loaf,
            inside=crate,
            offset=Pose(0.05, 0),
        )
