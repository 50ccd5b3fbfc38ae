"""Lay a red wall of four rows in running bond, with half bricks at the ends of every other row."""

from gensim_envs.api import Box, Pose, Scene, Task, line

JOINT = 0.005  # metres between neighbouring bricks
LONG = 0.075  # metres, a whole brick
SHORT = (LONG - JOINT) / 2  # metres: two half bricks and a joint make a whole one
DEPTH = 0.035  # metres
HEIGHT = 0.03
PITCH = LONG + JOINT
END = PITCH - (JOINT + SHORT) / 2  # metres from the middle of the wall to that of a half brick
ROWS = ("lowest", "second", "third", "top")


class StackFourLayerRedWall(Task):
    """Lay four rows of red bricks so that no joint is above another."""

    def build(self, scene: Scene) -> None:
        others = scene.colors(2, exclude=["red"])
        long, short = (LONG, DEPTH, HEIGHT), (SHORT, DEPTH, HEIGHT)
        wall = scene.pattern()
        first = int(scene.rng.integers(2))  # which kind of row is the lowest

        for level, name in enumerate(ROWS):
            row = wall.up(level * HEIGHT)
            if (level + first) % 2:
                bricks = [scene.add(Box("red", extents=long))]
                bricks += scene.add(Box("red", extents=short), count=2)
                places = [row, row @ Pose(-END, 0), row @ Pose(END, 0)]
                what = "a long red box with a short red box close to each end of it"
            else:
                bricks = scene.add(Box("red", extents=long), count=2)
                places = line(row, 2, PITCH)
                what = "two long red boxes, end to end"
            over = ", with no joint above a joint" if level else ""
            scene.goal(
                f"lay the {name} row of the red wall: {what}{over}", bricks, at=places, facing=True
            )

        for color in others:
            scene.distract(Box(color, extents=long))
            scene.distract(Box(color, extents=short))
