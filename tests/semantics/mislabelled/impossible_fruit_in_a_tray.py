"""Pack fruit into a tray."""

from gensim_envs.api import Container, Household, Scene, Task


class FruitInATray(Task):
    """Put the apple and the pear into the tray."""

    def build(self, scene: Scene) -> None:
        (tin,) = scene.colors(1, exclude=["red", "green"])
        tray = scene.add(Container(tin, extents=(0.09, 0.08, 0.05)))
        fruit = [scene.add(Household("red", "apple")), scene.add(Household("green", "pear"))]

        scene.goal(f"put the red apple and the green pear into the {tin} tray", fruit, inside=tray)

        scene.distract(Household("yellow", "banana"))
