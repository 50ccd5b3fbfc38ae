"""Set up two posts, close the gate between them with a rope, and bring in the ball."""

from gensim_envs.api import Ball, Cylinder, Pose, Rope, Scene, Task, Zone

REACH = 0.022  # metres from an end of the rope to the middle of its post: they do not touch


class CloseTheGate(Task):
    """Put up two gate posts, stretch a rope between them, and put a ball into the pen."""

    def build(self, scene: Scene) -> None:
        wood, cord, toy, grass = scene.colors(4)
        middle = scene.reserve(radius=0.17)
        half = Rope.LENGTH / 2 - 0.002
        pen = scene.add(Zone(grass, width=0.12), at=middle @ Pose(0, 0.09))
        posts = scene.add(Cylinder(wood, diameter=0.03, length=0.06), count=2)
        rope = scene.add(Rope(cord))
        ball = scene.add(Ball(toy))
        feet = [middle @ Pose(x, 0) for x in (-half - REACH, half + REACH)]
        ends = [middle @ Pose(x, 0) for x in (-half, half)]

        scene.goal(f"stand the two {posts} up as the posts of a gate", posts, at=feet)
        scene.goal(f"close the gate with the {rope}", rope, along=ends)
        scene.goal(f"put the {ball} into the {pen} behind the gate", ball, inside=pen)
