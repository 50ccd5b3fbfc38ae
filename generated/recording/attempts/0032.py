"""Sort balls into corners by the colour of the cue that lies in each corner."""

from gensim_envs.api import Ball, Corner, Pose, Scene, Stand, Task

CUE = (0.025, 0.025, 0.004)  # metres
NOOK = 0.015  # metres from both arms to the middle of a cue
SPOT = 0.06  # metres from both arms to the middle of a ball


class ColorCuedBallCornerSorting(Task):
    """Put each ball into the corner that has the cue of its colour, beyond the cue."""

    def build(self, scene: Scene) -> None:
        *cues, stray = scene.colors(4)
        paints = scene.colors(3)

        for cue, paint in zip(cues, paints):
            corner = scene.add(Corner(paint), at=scene.reserve(radius=0.12))
            scene.add(Stand(cue, extents=CUE), at=corner.pose @ Pose(NOOK, NOOK))
            ball = scene.add(Ball(cue))
            scene.goal(
                f"put the {ball} between the arms of the {corner}, where the cue of its colour is",
                ball,
                at=corner.pose @ Pose(SPOT, SPOT),
            )

        scene.distract(Ball(stray))
