"""Lay a red wall of four rows in running bond, with half bricks at the ends of every other row."""

from gensim_envs.api import Box, Pose, Scene, Task, line

JOINT = 0.005  # metres between neighbouring bricks
LONG = 0.075  # metres, a whole brick
SHORT = (LONG - JOINT) / 2  # metres: two half bricks and a joint make a whole one
DEPTH = 0.035  # metres
HEIGHT = 0.03
PITCH = LONG + JOINT
END = PITCH - (JOINT + SHORT) / 2  # metres from the middle of the wall to that of a half brick


class StackFourLayerRedWall(Task):
    """Lay four rows of red bricks so that no joint is above another."""

    def build(self, scene: Scene) -> None:
        site = scene.reserve(radius=0.10)
        even = [site, site @ Pose(-END, 0), site @ Pose(END, 0)]
        rows = (("lowest", False), ("second", True), ("third", False), ("top", True))

        for level, (name, bonded) in enumerate(rows):
            up = level * HEIGHT
            if bonded:
                brick = scene.add(Box("red", extents=(LONG, DEPTH, HEIGHT)))
                halves = scene.add(Box("red", extents=(SHORT, DEPTH, HEIGHT)), count=2)
                scene.goal(
                    f"lay the {name} row of the wall: a long red box over the joint below, "
                    "a short one at each end",
                    [brick, *halves],
                    at=[place.up(up) for place in even],
                )
            else:
                bricks = scene.add(Box("red", extents=(LONG, DEPTH, HEIGHT)), count=2)
                scene.goal(
                    f"lay the {name} row of the wall: two long red boxes end to end",
                    bricks,
                    at=line(site.up(up), 2, PITCH),
                )
