"""Serve breakfast: bring the tray to the painted place, then set what is asked for on it."""

from gensim_envs.api import Container, Household, Scene, Task, Zone

TRAY = (0.27, 0.17, 0.02)  # metres
PLACE = 0.345  # metres across
PAIRS = {"train": ("apple", "banana", "pear"), "test": ("donut", "watermelon_slice")}
MENU = {
    "train": ("bread_loaf", "cheese_wedge", "coffee_mug", "teapot", "egg_carton"),
    "test": ("milk_carton", "salt_shaker", "strawberry", "cupcake"),
}


class ServeTheBreakfastTray(Task):
    """Put the tray on the zone and load it with two things alike and two others."""

    def build(self, scene: Scene) -> None:
        pairs, menu = (list(scene.rng.permutation(x[scene.split])) for x in (PAIRS, MENU))
        alike, other = (Household(kind=str(kind)) for kind in pairs[:2])
        served = [Household(kind=str(kind)) for kind in menu]
        taken = [kind.color for kind in (alike, *served[:2])]
        tin, paint = scene.colors(2, exclude=taken)
        place = scene.add(Zone(paint, width=PLACE, shape="round"))
        tray = scene.add(Container(tin, extents=TRAY), fixed=False)
        pair = scene.add(alike, count=2)

        scene.goal(f"put the {tin} tray on the {place}", tray, inside=place)
        scene.goal(f"put the two {pair} on the {tin} tray", pair, inside=tray)
        for kind in served[:2]:
            thing = scene.add(kind)
            scene.goal(f"put the {thing} on the {tin} tray", thing, inside=tray)

        scene.distract(other)
        for kind in served[2:4]:
            scene.distract(kind)
