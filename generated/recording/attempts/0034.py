"""Moor an open boat at a pier with a rope and load it."""

from gensim_envs.api import Box, Container, Pose, Rope, Scene, Stand, Task

PIER = (0.07, 0.22, 0.02)  # metres
BOAT = (0.14, 0.08, 0.035)  # metres
ROPE = 0.12  # metres
FREIGHT = (0.045, 0.045, 0.03)  # metres
AIR = 0.008  # metres from an end of the rope to what it touches


class MoorTheBoat(Task):
    """Bring one of two boats to the berth, tie it to the pier, and load the freight named."""

    def build(self, scene: Scene) -> None:
        wood, cord, freight, other, *hulls = scene.colors(6, exclude=["gray"])
        away = ROPE / 2 + AIR
        water = scene.reserve(radius=0.195) @ Pose(-0.02, 0)
        pier = scene.add(Stand(wood, extents=PIER), at=water @ Pose(-away - PIER[0] / 2, 0))
        berth = scene.mark(Container(hulls[0], extents=BOAT), water @ Pose(away + BOAT[0] / 2, 0))
        boat = scene.add(Container(hulls[0], extents=BOAT), fixed=False)
        rope = scene.add(Rope(cord, length=ROPE))
        deck = pier.pose.up(PIER[2])
        boxes = [
            scene.add(Box(freight, extents=FREIGHT), at=deck @ Pose(0, side))
            for side in (-0.075, 0.075)
        ]

        scene.goal(
            f"bring the {hulls[0]} boat into the outline of its berth off the pier", boat, at=berth
        )
        scene.goal(
            f"moor it: lay the {rope} straight from the {wood} pier to the {hulls[0]} boat",
            rope,
            along=[pier, boat],
        )
        scene.goal(f"load both {freight} boxes into the {hulls[0]} boat", boxes, inside=boat)

        scene.distract(Container(hulls[1], extents=BOAT))
        scene.distract(Box(other, extents=FREIGHT), count=2)
