"""Build a car in a garage: four wheels, a body on them, and a cabin on top."""

from gensim_envs.api import Box, Cylinder, Pose, Scene, Task, Zone

GARAGE = 0.17  # metres
WHEEL = {"diameter": 0.04, "length": 0.025}
BODY = (0.14, 0.08, 0.025)
CABIN = (0.06, 0.06, 0.03)


class BuildCar(Task):
    """Set four wheels in the garage, lay a body on all of them, and put a cabin on top."""

    def build(self, scene: Scene) -> None:
        floor, rubber, paint, glass, *others = scene.colors(6)
        garage = scene.add(Zone(floor, width=GARAGE))
        wheels = scene.add(Cylinder(rubber, **WHEEL), count=4)
        body = scene.add(Box(paint, extents=BODY))
        cabin = scene.add(Box(glass, extents=CABIN))
        axles = [Pose(x, y) for x in (-0.045, 0.045) for y in (-0.025, 0.025)]

        scene.goal(
            f"set the four {wheels} in the {garage} as the wheels of a car",
            wheels, inside=garage, offset=axles,
        )  # fmt: skip
        scene.goal(f"lay the {body} on all four {wheels} as the body", body, on=tuple(wheels))
        scene.goal(f"put the {cabin} on the {body} as the cabin", cabin, on=body)

        for color in others:
            scene.distract(Cylinder(color, **WHEEL))
            scene.distract(Box(color, extents=BODY))
        scene.distract(Box(others[0], extents=CABIN))
