"""A rope and a stripe."""

from gensim_envs.api import Line, Pose, Rope, Scene, Task

HALF = 0.114  # metres, half of the rope's length


class CrossTheLine(Task):
    """Make a cross out of a rope and a painted stripe."""

    def build(self, scene: Scene) -> None:
        paint, hemp = scene.colors(2)
        stripe = scene.add(Line(paint, length=0.24), at=scene.reserve(radius=0.13))
        rope = scene.add(Rope(hemp))
        ends = [stripe.pose @ Pose(-HALF, 0.04), stripe.pose @ Pose(HALF, 0.04)]

        scene.goal(
            f"stretch the {hemp} cable so that it crosses the {paint} stripe's midpoint at a"
            " right angle",
            rope,
            along=ends,
        )
