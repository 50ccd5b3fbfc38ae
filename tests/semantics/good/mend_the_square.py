"""Lay a rope over one side of an open square."""

from gensim_envs.api import OpenSquare, Rope, Scene, Task

SIDE = 0.22  # metres


class MendTheSquare(Task):
    """Lay the rope over the whole length of the side opposite the open one."""

    def build(self, scene: Scene) -> None:
        cord, paint = scene.colors(2)
        square = scene.add(OpenSquare(paint, side=SIDE))
        rope = scene.add(Rope(cord))
        far = [square.pose @ end for end in square.asset.edge("far")]

        scene.goal(
            f"lay the {cord} rope over the whole far side of the {paint} square", rope, along=far
        )
