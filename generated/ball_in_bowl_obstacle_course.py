"""Carry two bowls past a fence to the finish, then put a ball into each."""

from gensim_envs.api import Ball, Bowl, Box, Pose, Scene, Task, Zone, line

POST = (0.10, 0.03, 0.05)  # metres
GAP = 0.15  # metres between the middles of the posts
AWAY = 0.20  # metres from the fence to the start and to the finish
LANE = 0.09  # metres from the middle of the course to a lane
DISC = 0.15  # metres across a zone


class BallInBowlObstacleCourse(Task):
    """Move each bowl over the fence into a zone and put a ball into it."""

    def build(self, scene: Scene) -> None:
        wood, *paints = scene.colors(3)
        clays, toys = scene.colors(2, exclude=paints), scene.colors(2)
        way = float(scene.rng.choice([-1.0, 1.0]))
        fence = Pose(0.5, float(scene.rng.uniform(-0.08, 0.08)))
        for place in line(fence, 3, GAP):
            scene.add(Box(wood, extents=POST), at=place, fixed=True)
        lanes = scene.rng.permutation([-LANE, LANE]).tolist()
        zones = [
            scene.add(Zone(paint, width=DISC, shape="round"), at=fence @ Pose(lane, way * AWAY))
            for paint, lane in zip(paints, lanes)
        ]
        bowls = [
            scene.add(Bowl(clay), at=fence @ Pose(lane, -way * AWAY))
            for clay, lane in zip(clays, (-LANE, LANE))
        ]
        balls = [scene.add(Ball(toy)) for toy in toys]

        for bowl, zone in zip(bowls, zones):
            scene.goal(
                f"carry the {bowl} over the fence into the {zone}", bowl, inside=zone, fully=True
            )
        for ball, bowl in zip(balls, bowls):
            scene.goal(f"put the {ball} into the {bowl}", ball, inside=bowl)
