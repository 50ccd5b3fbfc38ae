"""Lift bowls onto the highest and the lowest of three platforms and put balls into them."""

from gensim_envs.api import Ball, Bowl, Scene, Stand, Task

WIDTH = 0.11  # metres: more than the floor of a bowl
HEIGHTS = {"lowest": 0.02, "second lowest": 0.05, "highest": 0.08}  # metres


class PlaceBallInElevatedBowl(Task):
    """Put bowls on the platforms of the named heights, then a ball into each of these bowls."""

    def build(self, scene: Scene) -> None:
        paint, *colors = scene.colors(7)
        clays, toys = colors[:3], colors[3:]
        platforms = {
            name: scene.add(Stand(paint, extents=(WIDTH, WIDTH, height)))
            for name, height in HEIGHTS.items()
        }
        bowls = [scene.add(Bowl(clay)) for clay in clays[:2]]
        balls = [scene.add(Ball(toy)) for toy in toys[:2]]
        order = scene.rng.permutation(3)
        names = [tuple(HEIGHTS)[k] for k in order[:2]]

        for bowl, name in zip(bowls, names):
            scene.goal(f"put the {bowl} on the {name} platform", bowl, on=platforms[name])
        for ball, bowl in zip(balls, bowls):
            scene.goal(f"put the {ball} into the {bowl} up there", ball, inside=bowl)

        scene.distract(Bowl(clays[2]))
        scene.distract(Ball(toys[2]))
