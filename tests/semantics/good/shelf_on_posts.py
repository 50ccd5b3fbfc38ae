"""Lay a shelf across two posts."""

from gensim_envs.api import Box, Cylinder, Pose, Scene, Task

POST = 0.05  # metres high
REACH = 0.06  # metres from the middle of the shelf to a post


class ShelfOnPosts(Task):
    """Stand up two cylinders as posts and lay the long box across both."""

    def build(self, scene: Scene) -> None:
        stone, wood = scene.colors(2)
        posts = scene.add(Cylinder(stone, diameter=0.04, length=POST), count=2)
        shelf = scene.add(Box(wood, extents=(0.18, 0.05, 0.015)))
        middle = scene.pattern()
        feet = [middle @ Pose(x, 0) for x in (-REACH, REACH)]

        scene.goal(f"stand the two {stone} cylinders up as posts 12 cm apart", posts, at=feet)
        scene.goal(f"lay the {wood} box across the {stone} posts", shelf, on=tuple(posts))
