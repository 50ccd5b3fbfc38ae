"""Pack boxes of many sizes tightly into a container."""

from gensim_envs.api import Box, Container, Pose, Scene, Task, tiles

SLACK = 0.012  # metres between neighbours: room for a suction gripper's error
SMALLEST = 0.045  # metres: no side of a box is shorter before the slack is taken off


class PackingBoxes(Task):
    """Pack all boxes into the container, where they just fit side by side."""

    def build(self, scene: Scene) -> None:
        paint, color = scene.colors(2)
        x, y = scene.rng.uniform(0.12, 0.20, 2)
        container = scene.add(Container(paint, extents=(x + 0.01, y + 0.01, 0.06)))
        pieces = tiles(Pose(0, 0, 0.005), (x, y), SMALLEST, scene.rng)
        boxes = [
            scene.add(Box(color, extents=(width - SLACK, depth - SLACK, 0.04)))
            for (width, depth), _ in pieces
        ]
        layout = [middle for _, middle in pieces]

        scene.goal(
            f"pack all {color} boxes into the {container}", boxes, inside=container, offset=layout
        )
