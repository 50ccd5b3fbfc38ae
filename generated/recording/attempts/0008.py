"""Connect two of three boxes with a rope."""

import math

from gensim_envs.api import Box, Pose, Rope, Scene, Task, ring

BOX = (0.05, 0.05, 0.03)  # metres
REACH = 0.045  # metres from the middle of a box to the end of the rope: they do not touch
INWARDS = 2.618  # radians from a box's outward heading to its neighbour on the triangle


class ConnectBoxesWithRope(Task):
    """Lay a rope straight from one named box to another and leave the third one out."""

    def build(self, scene: Scene) -> None:
        cord, *colors = scene.colors(4)
        side = Rope.LENGTH + 2 * REACH
        middle = scene.reserve(radius=0.22)
        corners = ring(middle, count=3, radius=side / math.sqrt(3))
        boxes = [
            scene.add(Box(color, extents=BOX), at=corner, fixed=True)
            for color, corner in zip(colors, corners)
        ]
        rope = scene.add(Rope(cord))
        first, second = boxes[:2]
        start = first.pose.turned(INWARDS) @ Pose(REACH, 0)
        end = second.pose.turned(-INWARDS) @ Pose(REACH, 0)

        scene.goal(
            f"connect the {first} with the {second} by the {rope}, laid straight",
            rope,
            along=[start, end],
        )
