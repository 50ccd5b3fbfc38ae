"""Park one of two toy cars in a round zone."""

from gensim_envs.api import Household, Scene, Task, Zone


class ParkTheToyCar(Task):
    """Park the toy car of the named colour in the round zone; the other car stays where it is."""

    def build(self, scene: Scene) -> None:
        paint, other, ground = scene.colors(3)
        zone = scene.add(Zone(ground, width=0.16, shape="round"))
        car = scene.add(Household(paint, "toy_car"))

        scene.goal(f"park the {paint} toy car in the round {ground} zone", car, inside=zone)

        scene.distract(Household(other, "toy_car"))
