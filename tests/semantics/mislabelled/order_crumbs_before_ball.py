"""Clear crumbs away and then a ball."""

from gensim_envs.api import Ball, Bowl, Pile, Scene, Task, Zone


class CrumbsBeforeBall(Task):
    """Sweep the crumbs into the round zone first; only then drop the ball into the bowl."""

    def build(self, scene: Scene) -> None:
        bread, paint, toy, clay = scene.colors(4)
        zone = scene.add(Zone(paint, width=0.16, shape="round"))
        bowl = scene.add(Bowl(clay), fixed=True)
        crumbs = scene.add(Pile(bread))
        ball = scene.add(Ball(toy))

        scene.goal(f"last of all, drop the {toy} ball into the {clay} bowl", ball, inside=bowl)
        scene.goal(f"first of all, sweep the {bread} crumbs into the {paint} zone", crumbs,
                   inside=zone)  # fmt: skip
