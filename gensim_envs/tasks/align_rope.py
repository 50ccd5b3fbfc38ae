"""Lay a rope along one side of a square."""

from gensim_envs.api import OpenSquare, Rope, Scene, Task

SIDES = ("open", "far", "left", "right")


class AlignRope(Task):
    """Align the rope with the named side of a three-sided square."""

    def build(self, scene: Scene) -> None:
        color, paint = scene.colors(2)
        square = scene.add(OpenSquare(paint, side=0.22))
        rope = scene.add(Rope(color))
        name = SIDES[scene.rng.integers(4)]
        side = [square.pose @ end for end in square.asset.edge(name)]
        seen = "" if name == "open" else ", as seen from its open side"

        scene.goal(f"align the {rope} with the {name} side of the {square}{seen}", rope, along=side)
