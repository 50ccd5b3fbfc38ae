"""Align a box with a painted corner."""

from gensim_envs.api import Box, Corner, Scene, Task


class AlignBoxCorner(Task):
    """Fit a box of any size into a painted L, either way round."""

    def build(self, scene: Scene) -> None:
        color, paint = scene.colors(2)
        x, y = scene.rng.uniform(0.05, 0.10, 2)
        corner = scene.add(Corner(paint), at=scene.reserve(radius=0.14))
        box = scene.add(Box(color, extents=(x, y, 0.04)))
        fits = [corner.pose @ pose for pose in corner.asset.inner(box.asset.extents)]

        scene.goal(f"align the {box} with the {corner}", box, at=fits)
