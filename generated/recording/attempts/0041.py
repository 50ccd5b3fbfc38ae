"""Pack the lunch that is asked for and close the lunchbox."""

from gensim_envs.api import Box, Container, Household, Pose, Scene, Task

LUNCHBOX = (0.31, 0.19, 0.065)  # metres
TRAY = (0.12, 0.12, 0.04)
LID = (0.31, 0.19, 0.01)
MAINS = {
    "train": ("hamburger", "banana", "bread_loaf", "pizza_slice"),
    "test": ("carrot", "watermelon_slice", "ice_cream_cone"),
}
SNACKS = {"train": ("cheese_wedge", "pear"), "test": ("donut", "strawberry")}


class PackTheLunchbox(Task):
    """Pack a tray, a snack in the tray and two dishes into the lunchbox, and close it."""

    def build(self, scene: Scene) -> None:
        mains, snacks = (
            [Household(kind=kinds[k]) for k in scene.rng.permutation(len(kinds))]
            for kinds in (MAINS[scene.split], SNACKS[scene.split])
        )
        food = [kind.color for kind in (*mains, *snacks)]
        tin, steel, cover = scene.colors(3, exclude=food)
        lunchbox = scene.add(Container(tin, extents=LUNCHBOX))
        tray = scene.add(Container(steel, extents=TRAY), fixed=False)
        lid = scene.add(Box(cover, extents=LID))
        first, second, snack = [scene.add(kind) for kind in (*mains[:2], snacks[0])]

        scene.goal(
            f"put the {steel} tray into the {tin} lunchbox",
            tray,
            inside=lunchbox,
            offset=Pose(-0.085, 0, 0.005),
        )
        scene.goal(f"put the {snack} into the {steel} tray", snack, inside=tray)
        scene.goal(
            f"pack the {first} and the {second} into the {tin} lunchbox, too",
            [first, second],
            inside=lunchbox,
            offset=[Pose(0.062, 0.043, 0.005), Pose(0.062, -0.043, 0.005)],
        )
        scene.goal(
            f"close the {tin} lunchbox: lay the {cover} lid on it, square to its walls",
            lid,
            at=lunchbox.pose.up(LUNCHBOX[2]),
            facing=True,
        )
        for kind in (*mains[2:], snacks[1]):
            scene.distract(kind)
