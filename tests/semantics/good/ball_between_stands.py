"""Put a ball in the gap between two stands."""

from gensim_envs.api import Ball, Pose, Scene, Stand, Task

GAP = 0.06  # metres from the middle of the gap to the middle of each stand
SIZE = (0.04, 0.10, 0.03)


class BallBetweenStands(Task):
    """Put the ball on the table between the two stands."""

    def build(self, scene: Scene) -> None:
        wall, toy, other = scene.colors(3)
        middle = scene.reserve(radius=0.15)
        stands = [scene.add(Stand(wall, extents=SIZE), at=middle @ Pose(x, 0)) for x in (-GAP, GAP)]
        ball = scene.add(Ball(toy))

        scene.goal(f"put the {toy} ball between the {wall} stands", ball, between=stands)

        scene.distract(Ball(other))
