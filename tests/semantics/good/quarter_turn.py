"""Turn a thing on the spot."""

from gensim_envs.api import Box, Scene, Task, Zone

SIZE = (0.10, 0.05, 0.03)  # metres


class QuarterTurn(Task):
    """Turn the box in the middle of the zone by a quarter turn on the spot."""

    def build(self, scene: Scene) -> None:
        paper, paint = scene.colors(2)
        zone = scene.add(Zone(paint, width=0.16))
        box = scene.add(Box(paper, extents=SIZE), at=zone.pose)
        turned = zone.pose.turned(1.5708)

        scene.goal(
            f"turn the {paper} box on the {paint} zone by a quarter turn",
            box,
            at=turned,
            facing=True,
        )
