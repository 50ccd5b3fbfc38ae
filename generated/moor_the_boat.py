"""Moor a boat at a pier and unload its freight."""

import math

from gensim_envs.api import Box, Household, Pose, Rope, Scene, Stand, Task

PIER = (0.07, 0.20, 0.02)  # metres
AIR = 0.015  # metres from an end of the rope to the pier, and to the boat
BOAT = 0.10  # metres from bow to stern
END = 0.06  # metres from the middle of the pier to a box


class MoorTheBoat(Task):
    """Bring a boat in front of the pier, tie it up with a rope and unload two boxes."""

    def build(self, scene: Scene) -> None:
        wood, hull, cord, freight = scene.colors(4)
        half = Rope.LENGTH / 2 - 0.001
        water = scene.reserve(radius=0.235)
        pier = scene.add(Stand(wood, extents=PIER), at=water @ Pose(-half - AIR - PIER[0] / 2, 0))
        boat = scene.add(Household(hull, "sailing_boat"))
        rope = scene.add(Rope(cord))
        boxes = scene.add(Box(freight, extents=(0.05, 0.05, 0.03)), count=2)
        berth = water @ Pose(half + AIR + BOAT / 2, 0, 0, math.pi)
        ends = [pier.pose @ Pose(PIER[0] / 2 + AIR + way, 0) for way in (0, 2 * half)]

        scene.goal(
            f"bring the {boat} a mooring line's length in front of the pier, bow first",
            boat,
            at=berth,
        )
        scene.goal(f"lay the {rope} straight from the {wood} pier to the bow", rope, along=ends)
        scene.goal(
            f"unload a {freight} box onto each end of the pier",
            boxes,
            on=pier,
            offset=[Pose(0, -END), Pose(0, END)],
        )
