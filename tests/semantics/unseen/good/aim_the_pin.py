"""A rolling pin as the hand of a compass."""

from gensim_envs.api import Household, Pose, Scene, Task, Zone

APART = 0.17  # metres


class AimThePin(Task):
    """Put the rolling pin down on the patch, its length aimed at the patch's neighbour."""

    def build(self, scene: Scene) -> None:
        paint, gold, dough = scene.colors(3)
        middle = scene.reserve(radius=0.15)
        trophy = scene.add(Household(gold, "trophy"), at=middle @ Pose(-APART / 2, 0), fixed=True)
        spot = trophy.pose @ Pose(APART, 0)
        patch = scene.add(Zone(paint, width=0.13, shape="round"), at=spot)
        pin = scene.add(Household(dough, "rolling_pin"))

        scene.goal(
            f"let the {dough} rolling pin lie amid the {paint} patch and aim its length straight"
            f" at the trophy",
            pin,
            at=patch.pose,
            facing=True,
        )
