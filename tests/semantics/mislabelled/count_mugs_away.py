"""Put mugs away."""

from gensim_envs.api import Container, Household, Scene, Task


class MugsAway(Task):
    """Put both mugs into the tray and leave the spoon on the table."""

    def build(self, scene: Scene) -> None:
        tin, clay = scene.colors(2, exclude=["gray"])
        tray = scene.add(Container(tin, extents=(0.24, 0.16, 0.05)))
        mug = scene.add(Household(clay, "coffee_mug"))

        scene.goal(f"put both {clay} mugs into the {tin} tray", mug, inside=tray)

        scene.distract(Household(clay, "coffee_mug"))
        scene.distract(Household("gray", "spoon"))
