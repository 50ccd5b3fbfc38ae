"""Pack a lunchbox: partition, main dish, two snacks, and the lid."""

from gensim_envs.api import Box, Container, Household, Pose, Scene, Task

LUNCHBOX = (0.28, 0.16, 0.065)  # metres
LID = (0.28, 0.16, 0.01)
PARTITION = (0.012, 0.13, 0.05)
FLOOR = 0.005  # metres
HALF = 0.07  # metres from the partition to the middle of a half
FOOD = {
    "train": (("brown", "hamburger"), ("yellow", "banana"), ("yellow", "cheese_wedge")),
    "test": (("pink", "donut"), ("red", "watermelon_slice"), ("orange", "carrot")),
}


class PackTheLunchbox(Task):
    """Divide the lunchbox, put the main dish into a half, add two snacks, and close it."""

    def build(self, scene: Scene) -> None:
        tin, card, cover = scene.colors(3)
        lunchbox = scene.add(Container(tin, extents=LUNCHBOX))
        partition = scene.add(Box(card, extents=PARTITION))
        lid = scene.add(Box(cover, extents=LID))
        dish, *snacks = [scene.add(Household(color, kind)) for color, kind in FOOD[scene.split]]
        floor = lunchbox.pose.up(FLOOR)
        halves = [floor @ Pose(-HALF, 0), floor @ Pose(HALF, 0)]

        scene.goal(
            f"stand the {partition} across the middle of the {lunchbox} as its partition",
            partition,
            at=floor,
        )
        scene.goal(
            f"put the {dish} into the middle of either half of the {lunchbox}", dish, at=halves
        )
        for snack in snacks:
            scene.goal(f"pack the {snack} into the {lunchbox} as well", snack, inside=lunchbox)
        top = lunchbox.pose.up(lunchbox.asset.height)
        scene.goal(f"close the {lunchbox} with the {lid}", lid, at=top)
