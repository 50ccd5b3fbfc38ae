"""Lay a rope along one of two stripes."""

from gensim_envs.api import Line, Rope, Scene, Task


class LayTheCord(Task):
    """Lay the rope straight along the stripe of the other colour."""

    def build(self, scene: Scene) -> None:
        cord, paint = scene.colors(2)
        stripe = scene.add(Line(paint, length=Rope.LENGTH))
        scene.add(Line(cord, length=0.15))
        rope = scene.add(Rope(cord))

        scene.goal(f"lay the {paint} rope along the {cord} stripe", rope, along=stripe)
