"""Line cylinders up by height, starting at a bowl."""

from gensim_envs.api import Bowl, Cylinder, Pose, Scene, Task

HEIGHTS = (0.03, 0.05, 0.07)  # metres


class LineUpByHeight(Task):
    """Line three cylinders up in a row away from a bowl, the shortest one nearest to the bowl."""

    def build(self, scene: Scene) -> None:
        clay, color = scene.colors(2)
        bowl = scene.add(Bowl(clay), fixed=True)
        cylinders = [scene.add(Cylinder(color, diameter=0.035, length=high)) for high in HEIGHTS]
        row = scene.pattern(bowl)
        places = [row @ Pose(0.10 + 0.06 * k, 0) for k in range(3)]

        scene.goal(
            f"line the {color} cylinders up by height, 6 cm apart, the shortest nearest to the"
            f" {clay} bowl, 10 cm from its middle",
            cylinders,
            at=places,
        )
