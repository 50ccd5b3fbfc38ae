"""Lay a shelf on a post."""

from gensim_envs.api import Box, Cylinder, Pose, Scene, Task

POST = 0.05  # metres high
REACH = 0.06  # metres from the middle of the shelf to a post


class ShelfOnPosts(Task):
    """Stand up a cylinder as a post and lay one end of the long box on it."""

    def build(self, scene: Scene) -> None:
        stone, wood = scene.colors(2)
        spot = scene.reserve(radius=0.11)
        post = scene.add(Cylinder(stone, diameter=0.04, length=POST))
        shelf = scene.add(Box(wood, extents=(0.18, 0.05, 0.015)))

        scene.goal(f"stand the {stone} cylinder up as a post", post, at=spot)
        scene.goal(f"lay one end of the {wood} box on it", shelf, on=post, offset=Pose(REACH, 0))
