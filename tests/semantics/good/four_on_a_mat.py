"""Stand four cylinders on a mat."""

from gensim_envs.api import Cylinder, Scene, Task, Zone, grid

WIDTH = 0.18  # metres
APART = WIDTH - 0.04  # metres between the middles of neighbouring cylinders


class FourOnAMat(Task):
    """Stand four cylinders in the corners of the square zone, one in each."""

    def build(self, scene: Scene) -> None:
        paint, glass = scene.colors(2)
        mat = scene.add(Zone(paint, width=WIDTH))
        cylinders = scene.add(Cylinder(glass, diameter=0.035, length=0.05), count=4)
        places = scene.mark(cylinders[0], grid(mat.pose, rows=2, columns=2, spacing=APART))

        scene.goal(
            f"stand the four {glass} cylinders in the four corners of the {paint} zone",
            cylinders,
            at=places,
        )
