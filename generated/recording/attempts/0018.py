"""Clear up after a meal: cups and spoons into their trays, then the crumbs into a heap."""

from gensim_envs.api import Container, Household, Pile, Pose, Scene, Task, Zone


class ClearTheTable(Task):
    """Put the mugs and the spoons into trays of two colours and sweep the crumbs into a zone."""

    def build(self, scene: Scene) -> None:
        one, other, clay, tin, bread, paint = scene.colors(6)
        trays = [
            scene.add(Container(color, extents=(0.16, 0.14, 0.03)), at=Pose(x, y))
            for color, x, y in zip((one, other), scene.rng.uniform(0.35, 0.65, 2), (-0.41, 0.41))
        ]
        zone = scene.add(Zone(paint, width=0.14, shape="round"))
        mugs = scene.add(Household(clay, "coffee_mug"), count=2)
        spoons = scene.add(Household(tin, "spoon"), count=2)
        crumbs = scene.add(Pile(bread))

        scene.goal(f"put both {mugs} into the {trays[0]}", mugs, inside=trays[0])
        scene.goal(f"put both {spoons} into the {trays[1]}", spoons, inside=trays[1])
        scene.goal(f"sweep the {bread} crumbs into the {zone}", crumbs, inside=zone)
