"""Close a three-sided square with a rope."""

from gensim_envs.api import OpenSquare, Rope, Scene, Task


class ManipulatingRope(Task):
    """Lay the rope along the missing side of a three-sided square."""

    def build(self, scene: Scene) -> None:
        color, paint = scene.colors(2)
        square = scene.add(OpenSquare(paint, side=0.22))
        rope = scene.add(Rope(color))
        gap = [square.pose @ end for end in square.asset.edge("open")]

        scene.goal(f"close the {square} with the {rope}", rope, along=gap)
