"""A train is coupled."""

from gensim_envs.api import Box, Household, Pose, Scene, Task

ENGINE = 0.115  # metres, length of the locomotive
WAGON = 0.06
GAP = 0.02


class CoupleTheTrain(Task):
    """Couple three wagons to a locomotive in the sequence that is announced."""

    def build(self, scene: Scene) -> None:
        steam, *colors = scene.colors(4)
        x, y = scene.rng.uniform((0.32, -0.36), (0.68, -0.28))
        engine = scene.add(Household(steam, "toy_train"), at=Pose(x, y, 0, 1.5708), fixed=True)
        wagons = [scene.add(Box(color, extents=(WAGON, 0.04, 0.04))) for color in colors]
        first = ENGINE / 2 + GAP + WAGON / 2
        along = [engine.pose @ Pose(first + k * (WAGON + GAP), 0) for k in range(3)]
        track = scene.mark(wagons[0], along)

        near, middle, last = colors
        scene.goal(
            f"couple the wagons: the {near} box follows the {steam} toy train directly, the"
            f" {middle} box comes next and the {last} box brings up the rear",
            wagons,
            at=track,
        )
