"""Set the table: a plate on the mat, cutlery around the plate, a mug, and something to eat."""

from gensim_envs.api import Household, Scene, Task, Zone

FOOD = {
    "train": ("hamburger", "pizza_slice", "cheese_wedge"),
    "test": ("cupcake", "donut", "watermelon_slice"),
}


class SetTheTable(Task):
    """Put a plate on the mat, lay the cutlery round it, add a mug and serve a meal."""

    def build(self, scene: Scene) -> None:
        kinds = [Household(kind=kind) for kind in scene.rng.permutation(FOOD[scene.split])[:2]]
        taken = ["gray", "black", *(kind.color for kind in kinds)]
        cloth, china, other, clay = scene.colors(4, exclude=taken)
        mat = scene.add(Zone(cloth, width=0.2), at=scene.reserve(radius=0.145))
        plate = scene.add(Household(china, "plate"), at=scene.reserve(radius=0.145))
        fork = scene.add(Household("gray", "fork"))
        knife = scene.add(Household("gray", "table_knife"), at=scene.reserve(radius=0.085))
        spoon = scene.add(Household("gray", "spoon"))
        mug = scene.add(Household(clay, "coffee_mug"))
        food = scene.add(kinds[0])

        scene.goal(f"put the {plate} on the {mat}", plate, inside=mat)
        scene.goal(f"lay the {fork} to the left of the {plate}", fork, left_of=plate)
        scene.goal(f"lay the {knife} to the right of the {plate}", knife, right_of=plate)
        scene.goal(f"lay the {spoon} behind the {plate}", spoon, behind=plate)
        scene.goal(f"put the {mug} next to the {knife}", mug, next_to=knife)
        scene.goal(f"serve the {food} on the {plate}", food, on=plate)

        scene.distract(Household(other, "plate"))
        scene.distract(Household(other, "coffee_mug"))
        scene.distract(kinds[1])
