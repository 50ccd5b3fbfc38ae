"""Build a car from two boxes and four cylinders."""

from gensim_envs.api import Box, Cylinder, Pose, Scene, Task

BODY = (0.14, 0.06, 0.03)  # metres
CABIN = (0.06, 0.05, 0.03)
WHEEL = 0.035  # metres across
AXLE = 0.045  # metres from the middle of the car to an axle
TRACK = 0.055  # metres from the middle of the car to a wheel: 7.5 mm clear of the body


class BuildCar(Task):
    """Set a body, a wheel at each of its corners, and a cabin on top."""

    def build(self, scene: Scene) -> None:
        paint, dark, light = scene.colors(3)
        place = scene.reserve(radius=0.11)
        body = scene.add(Box(paint, extents=BODY))
        wheels = scene.add(Cylinder(dark, diameter=WHEEL, length=0.03), count=4)
        cabin = scene.add(Box(light, extents=CABIN))
        axles = [place @ Pose(x, y) for x in (-AXLE, AXLE) for y in (-TRACK, TRACK)]

        scene.goal(f"lay down the {body} as the body of a car", body, at=place)
        scene.goal(f"put the {wheels} beside it as four wheels", wheels, at=axles)
        scene.goal(f"put the {cabin} on the {body} as the cabin", cabin, on=body)
