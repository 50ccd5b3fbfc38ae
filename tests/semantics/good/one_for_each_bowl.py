"""Give each bowl its ball."""

from gensim_envs.api import Ball, Bowl, Scene, Task


class OneForEachBowl(Task):
    """Put one ball into each of the bowls."""

    def build(self, scene: Scene) -> None:
        clay, toy = scene.colors(2)
        bowls = scene.add(Bowl(clay), count=3, fixed=True)
        balls = scene.add(Ball(toy, diameter=0.03), count=len(bowls))

        scene.goal(f"put one {toy} ball into each {clay} bowl", balls, inside=bowls)
