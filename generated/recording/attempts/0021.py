"""Park a sled in a zone and load it with a stack at each end."""

from gensim_envs.api import Block, Cylinder, Pose, Scene, Stand, Task, Zone

SLED = (0.16, 0.06, 0.02)  # metres
END = 0.045  # metres from the middle of the sled to the middle of a block


class LoadTheSled(Task):
    """Move the sled into the zone, set a block on each end of it and a cylinder on each block."""

    def build(self, scene: Scene) -> None:
        snow, wood, load, top = scene.colors(4)
        yard = scene.add(Zone(snow, width=0.20))
        sled = scene.add(Stand(wood, extents=SLED), fixed=False)
        blocks = scene.add(Block(load), count=2)
        cylinders = scene.add(Cylinder(top, diameter=0.035, length=0.03), count=2)

        scene.goal(f"park the {sled} in the {yard}", sled, inside=yard)
        scene.goal(
            f"load a {load} block on each end of the {sled}",
            blocks,
            on=sled,
            offset=[Pose(-END, 0), Pose(END, 0)],
        )
        scene.goal(f"set a {top} cylinder on each {load} block", cylinders, on=blocks)
