"""Build a car from two boxes and four cylinders in the middle of a garage."""

from gensim_envs.api import Box, Cylinder, Pose, Scene, Task, Zone

GARAGE = 0.20  # metres
BODY = (0.14, 0.06, 0.03)  # metres
CABIN = (0.06, 0.05, 0.03)
WHEEL = 0.035  # metres across
AXLE = 0.045  # metres from the middle of the car to an axle
TRACK = 0.055  # metres from the middle of the car to a wheel: 7.5 mm clear of the body


class BuildCar(Task):
    """Lay a body in the garage, set a wheel at each of its corners, and a cabin on top."""

    def build(self, scene: Scene) -> None:
        paint, dark, light, floor = scene.colors(4)
        garage = scene.add(Zone(floor, width=GARAGE))
        body = scene.add(Box(paint, extents=BODY))
        wheels = scene.add(Cylinder(dark, diameter=WHEEL, length=0.03), count=4)
        cabin = scene.add(Box(light, extents=CABIN))
        axles = [garage.pose @ Pose(x, y) for x in (-AXLE, AXLE) for y in (-TRACK, TRACK)]

        scene.goal(
            f"lay the {body} in the middle of the {garage} as the body of a car", body, at=garage
        )
        scene.goal(f"put the {wheels} beside it as its four wheels", wheels, at=axles)
        scene.goal(f"put the {cabin} on the {body} as the cabin", cabin, on=body)
