"""Park a sled in a zone and load it with a stack at each end."""

from gensim_envs.api import Block, Cylinder, Scene, Stand, Task, Zone

SLED = (0.16, 0.06, 0.02)  # metres


class LoadTheSled(Task):
    """Move the sled into the zone, set a block on each end of it and a cylinder on each block."""

    def build(self, scene: Scene) -> None:
        snow, ice, wood, load, top, *others = scene.colors(7)
        yard, _ = (scene.add(Zone(color, width=0.20)) for color in (snow, ice))
        sled = scene.add(Stand(wood, extents=SLED), fixed=False)
        blocks = scene.add(Block(load), count=2)
        cylinders = scene.add(Cylinder(top, diameter=0.035, length=0.03), count=2)
        for other in others:
            scene.distract(Block(other))
            scene.distract(Cylinder(other, diameter=0.035, length=0.03))

        scene.goal(f"park the sled, the {sled}, in the {yard}", sled, inside=yard)
        scene.goal(f"load a {load} block on each end of the {sled}", blocks, on=sled, part="ends")
        scene.goal(f"set a {top} cylinder on each {load} block", cylinders, on=blocks)
