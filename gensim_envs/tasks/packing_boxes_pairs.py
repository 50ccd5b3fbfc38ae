"""Pack the boxes of two colours, and only these."""

from gensim_envs.api import Box, Container, Pose, Scene, Task, tiles

SLACK = 0.012  # metres between neighbours: room for a suction gripper's error
SMALLEST = 0.05  # metres: no side of a box is shorter before the slack is taken off


class PackingBoxesPairs(Task):
    """Pack all boxes of two named colours into the container and leave the others."""

    def build(self, scene: Scene) -> None:
        paint, one, other, *rest = scene.colors(5)
        x, y = scene.rng.uniform(0.13, 0.17, 2)
        container = scene.add(Container(paint, extents=(x + 0.01, y + 0.01, 0.06)))
        pieces = tiles(Pose(0, 0, 0.005), (x, y), SMALLEST, scene.rng)
        boxes = [
            scene.add(Box((one, other)[k % 2], extents=(width - SLACK, depth - SLACK, 0.04)))
            for k, ((width, depth), _) in enumerate(pieces)
        ]
        layout = [middle for _, middle in pieces]

        scene.goal(
            f"pack all {one} and {other} boxes into the {container}",
            boxes, inside=container, offset=layout,
        )  # fmt: skip

        for color in rest:
            width, depth = scene.rng.uniform(0.04, 0.07, 2)
            scene.distract(Box(color, extents=(width, depth, 0.04)))
