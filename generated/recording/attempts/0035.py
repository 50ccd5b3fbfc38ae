"""Close the two open ends of a pen with ropes and put a duck into it."""

from gensim_envs.api import Box, Cylinder, Household, Pose, Rope, Scene, Task, Zone

FENCE = (0.18, 0.02, 0.04)  # metres
WIDTH = 0.27  # metres between the two fences: a rope fits between two posts
POST = 0.115  # metres from the middle of the pen to a post, along the fences


class FenceThePen(Task):
    """Stretch a rope between the posts at each end of a pen, then put the duck on its grass."""

    def build(self, scene: Scene) -> None:
        grass, down, wood, *colors = scene.colors(7)
        site = scene.reserve(radius=0.20)
        pen = scene.add(Zone(grass, width=0.16), at=site)
        duck = scene.add(Household(down, "rubber_duck"))
        for side in (-1, 1):
            scene.add(Box(wood, extents=FENCE), at=site @ Pose(0, side * WIDTH / 2), fixed=True)

        for end, post, cord in ((-1, *colors[:2]), (1, *colors[2:])):
            posts = [
                scene.add(
                    Cylinder(post, diameter=0.03, length=0.05),
                    at=site @ Pose(end * POST, side * WIDTH / 2),
                    fixed=True,
                )
                for side in (-1, 1)
            ]
            rope = scene.add(Rope(cord))
            scene.goal(
                f"close the pen between the two {post} cylinders with the {rope}",
                rope,
                along=posts,
            )
        scene.goal(f"put the {duck} into the {pen} within the fence", duck, inside=pen)
