"""Pile a box, a block and a cylinder up on a stand."""

from gensim_envs.api import Block, Box, Cylinder, Scene, Stand, Task


class PileUpThree(Task):
    """Lay a box on the stand, set a block on the box and a cylinder on the block."""

    def build(self, scene: Scene) -> None:
        base, low, middle, high = scene.colors(4)
        stand = scene.add(Stand(base, extents=(0.10, 0.10, 0.02)))
        box = scene.add(Box(low, extents=(0.08, 0.06, 0.03)))
        block = scene.add(Block(middle))
        cylinder = scene.add(Cylinder(high, diameter=0.035, length=0.05))

        scene.goal(
            f"lay the {low} box in the middle of the {base} stand", box, on=stand, part="middle"
        )
        scene.goal(f"set the {middle} block on the {low} box", block, on=box)
        scene.goal(f"top it off by setting the {high} cylinder on the {middle} block", cylinder,
                   on=block)  # fmt: skip
