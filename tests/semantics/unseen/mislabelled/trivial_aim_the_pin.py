"""A rolling pin as the hand of a compass."""

from gensim_envs.api import Household, Scene, Task, Zone


class AimThePin(Task):
    """Put the rolling pin down on the patch, its length aimed away from the robot."""

    def build(self, scene: Scene) -> None:
        paint, dough = scene.colors(2)
        patch = scene.add(Zone(paint, width=0.13, shape="round"))
        pin = scene.add(Household(dough, "rolling_pin"))

        scene.goal(
            f"let the {dough} rolling pin lie amid the {paint} patch and aim its length straight"
            " away from the robot",
            pin,
            inside=patch,
        )
