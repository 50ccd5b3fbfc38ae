"""Pack boxes of many sizes tightly into a container."""

from gensim_envs.api import Box, Container, Pose, Scene, Task

SLACK = 0.012  # metres between neighbours: room for a suction gripper's error
SMALLEST = 0.045  # metres: no side of a box is shorter before the slack is taken off


def cut(scene: Scene, x: float, y: float, at: Pose) -> list[tuple[float, float, Pose]]:
    """Cut a rectangle of x by y metres at random into smaller ones, each with its middle."""
    if max(x, y) < 2 * SMALLEST or (max(x, y) < 0.11 and scene.rng.random() < 0.5):
        return [(x, y, at)]
    part = scene.rng.uniform(SMALLEST, max(x, y) - SMALLEST)
    if x >= y:
        return [
            *cut(scene, part, y, at @ Pose((part - x) / 2, 0)),
            *cut(scene, x - part, y, at @ Pose(part / 2, 0)),
        ]
    return [
        *cut(scene, x, part, at @ Pose(0, (part - y) / 2)),
        *cut(scene, x, y - part, at @ Pose(0, part / 2)),
    ]


class PackingBoxes(Task):
    """Pack all boxes into the container, where they just fit side by side."""

    def build(self, scene: Scene) -> None:
        paint, color = scene.colors(2)
        x, y = scene.rng.uniform(0.12, 0.20, 2)
        container = scene.add(Container(paint, extents=(x + 0.01, y + 0.01, 0.06)))
        pieces = cut(scene, x, y, Pose(0, 0, 0.005))
        boxes = [
            scene.add(Box(color, extents=(width - SLACK, depth - SLACK, 0.04)))
            for width, depth, _ in pieces
        ]
        layout = [middle for _, _, middle in pieces]

        scene.goal(
            f"pack all {color} boxes into the {container}", boxes, inside=container, offset=layout
        )
