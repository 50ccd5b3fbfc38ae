"""Serve breakfast: bring the tray to the painted place, then set three things on it."""

from gensim_envs.api import Container, Household, OpenSquare, Pose, Scene, Task

TRAY = (0.28, 0.15, 0.02)  # metres
PLACE = 0.32  # metres: the side of the painted square, 2 cm clear of the tray at each end
FLOOR = 0.005  # metres
SEAT = 0.09  # metres from the middle of the tray to the outer things
LOAD = {
    "train": (("brown", "hamburger"), ("red", "soup_can"), ("gray", "spoon")),
    "test": (("pink", "donut"), ("white", "milk_carton"), ("orange", "comb")),
}


class ServeTheBreakfastTray(Task):
    """Put the tray into the open square and load it with three things side by side."""

    def build(self, scene: Scene) -> None:
        paint, tin = scene.colors(2)
        place = scene.add(OpenSquare(paint, side=PLACE), at=scene.reserve(radius=0.235))
        tray = scene.add(Container(tin, extents=TRAY), fixed=False)
        things = [scene.add(Household(color, kind)) for color, kind in LOAD[scene.split]]
        seats = [Pose(x, 0, FLOOR, 1.5708) for x in (-SEAT, 0, SEAT)]

        scene.goal(f"put the {tin} tray into the middle of the {place}", tray, at=place)
        for thing, seat in zip(things, seats):
            scene.goal(f"put the {thing} on the {tin} tray", thing, inside=tray, offset=seat)
