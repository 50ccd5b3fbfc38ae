"""Lower bowls between skittles that must not be moved, and put a ball into each."""

from gensim_envs.api import Ball, Bowl, Cylinder, Scene, Task, Zone, ring

DISC = 0.14  # metres across a zone
SKITTLE = {"diameter": 0.025, "length": 0.07}
CLEAR = 0.09  # metres from the middle of a zone to the skittles round it


class BallInBowlObstacleCourse(Task):
    """Set two bowls into zones without moving the skittles round them, and put a ball into each."""

    def build(self, scene: Scene) -> None:
        wood, *colors = scene.colors(7)
        zones = [
            scene.add(Zone(color, width=DISC, shape="round"), at=scene.reserve(radius=0.105))
            for color in colors[:2]
        ]
        skittles = [
            scene.add(Cylinder(wood, **SKITTLE), at=place)
            for zone in zones
            for place in ring(zone.pose, 5, CLEAR)
        ]
        bowls = [scene.add(Bowl(color)) for color in colors[2:4]]
        balls = [scene.add(Ball(color)) for color in colors[4:]]

        for bowl, zone in zip(bowls, zones):
            scene.goal(
                f"set the {bowl} into the {zone} without moving any {wood} cylinder", bowl, inside=zone
            )
        for ball, bowl in zip(balls, bowls):
            scene.goal(
                f"put the {ball} into the {bowl} without moving any {wood} cylinder", ball, inside=bowl
            )
        scene.untouched(skittles)

        scene.distract(Ball(wood))
