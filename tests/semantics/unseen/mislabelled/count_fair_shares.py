"""Four cubes shared out over two trays."""

from gensim_envs.api import Block, Container, Pose, Scene, Task

SIDE = 0.13  # metres


class FairShares(Task):
    """Share four cubes out so that neither tray gets more than the other."""

    def build(self, scene: Scene) -> None:
        tin, toy = scene.colors(2)
        trays = scene.add(Container(tin, extents=(SIDE, SIDE, 0.03)), count=2)
        cubes = scene.add(Block(toy), count=4)
        left, right = trays
        spots = [Pose(-0.03, 0.03), Pose(0.03, -0.03)]

        scene.goal(
            f"share the four {toy} cubes out: each {tin} tray gets two of them",
            cubes,
            inside=[left, left, left, right],
            offset=[*spots, Pose(0.03, 0.03), Pose(0, 0)],
        )
