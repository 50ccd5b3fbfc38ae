"""A figure out of three round parts."""

from gensim_envs.api import Cylinder, Scene, Stand, Task


class StoneFigure(Task):
    """Assemble a figure: a belly, a chest and a head."""

    def build(self, scene: Scene) -> None:
        ground, low, middle, high = scene.colors(4)
        plinth = scene.add(Stand(ground, extents=(0.1, 0.1, 0.015)))
        belly = scene.add(Cylinder(low, diameter=0.07, length=0.05))
        chest = scene.add(Cylinder(middle, diameter=0.055, length=0.04))
        head = scene.add(Cylinder(high, diameter=0.04, length=0.03))

        scene.goal(f"the figure's belly: center the {low} cylinder on the {ground} stand", belly,
                   on=plinth)  # fmt: skip
        scene.goal(f"its chest: balance the {middle} cylinder upon the {low} one", chest, on=belly)
        scene.goal(f"its head: balance the {high} cylinder upon the {middle} one", head, on=chest)
