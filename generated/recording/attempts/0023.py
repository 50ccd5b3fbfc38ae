"""Insert three L-shaped blocks into a row of equal fixtures, in a given order of colours."""

from gensim_envs.api import Ell, Fixture, Pose, Scene, Stand, Task, line

PITCH = 0.15  # metres between the middles of neighbouring fixtures
MARK = 0.12  # metres from the middle of the first fixture to the stand


class ColorOrderedInsertion(Task):
    """Fill a row of equal fixtures with L-shaped blocks, counted from the stand at its end."""

    def build(self, scene: Scene) -> None:
        frame, wood, *colors, other = scene.colors(6)
        x, y = scene.rng.uniform((0.36, -0.15), (0.64, 0.15))
        heading = float(scene.rng.choice((-1.5708, 1.5708)))
        spots = line(Pose(x, y, 0, heading), count=3, spacing=PITCH)
        fixtures = [scene.add(Fixture(frame), at=spot) for spot in spots]
        scene.add(Stand(wood, extents=(0.03, 0.10, 0.03)), at=spots[0] @ Pose(-MARK, 0))
        ells = [scene.add(Ell(color)) for color in colors]
        scene.distract(Ell(other))
        places = ("nearest to the stand", "in the middle of the row", "farthest from the stand")

        for k in scene.rng.permutation(3):
            color = ells[k].asset.color
            scene.goal(
                f"put the {color} L-shaped block into the {frame} fixture {places[k]}",
                ells[k],
                at=fixtures[k],
            )
