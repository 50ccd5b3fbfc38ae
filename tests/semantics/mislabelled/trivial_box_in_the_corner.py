"""Push a box into a painted corner."""

from gensim_envs.api import Box, Corner, Scene, Task


class BoxInTheCorner(Task):
    """Bring the box from where it lies into the painted corner."""

    def build(self, scene: Scene) -> None:
        paper, paint = scene.colors(2)
        corner = scene.add(Corner(paint), at=scene.reserve(radius=0.13))
        fits = [corner.pose @ pose for pose in corner.asset.inner((0.08, 0.06, 0.03))]
        box = scene.add(Box(paper, extents=(0.08, 0.06, 0.03)), at=fits[0])

        scene.goal(f"bring the {paper} box into the {paint} corner", box, at=fits)
