"""A figure out of three round parts."""

from gensim_envs.api import Ball, Scene, Stand, Task


class StoneFigure(Task):
    """Assemble a figure: a belly, a chest and a head."""

    def build(self, scene: Scene) -> None:
        ground, low, middle, high = scene.colors(4)
        plinth = scene.add(Stand(ground, extents=(0.1, 0.1, 0.015)))
        foot = plinth.pose.up(0.015)
        belly = scene.add(Ball(low, diameter=0.07))
        chest = scene.add(Ball(middle, diameter=0.055))
        head = scene.add(Ball(high, diameter=0.04))

        scene.goal(f"the figure's belly: center the {low} ball on the {ground} stand", belly,
                   at=foot)  # fmt: skip
        scene.goal(
            f"its chest: balance the {middle} ball upon the {low} one", chest, at=foot.up(0.07)
        )
        scene.goal(
            f"its head: balance the {high} ball upon the {middle} one", head, at=foot.up(0.125)
        )
