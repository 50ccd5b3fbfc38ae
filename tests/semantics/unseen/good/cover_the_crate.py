"""A crate gets its cover."""

from gensim_envs.api import Box, Container, Scene, Task

CRATE = (0.16, 0.12, 0.05)  # metres
COVER = (0.18, 0.14, 0.012)


class CoverTheCrate(Task):
    """Close the crate from above with a flat board."""

    def build(self, scene: Scene) -> None:
        wood, lid = scene.colors(2)
        crate = scene.add(Container(wood, extents=CRATE))
        board = scene.add(Box(lid, extents=COVER))

        scene.goal(
            f"close the {wood} crate: the flat {lid} box is its lid and lies across the rim",
            board,
            at=crate.pose.up(CRATE[2]),
        )
