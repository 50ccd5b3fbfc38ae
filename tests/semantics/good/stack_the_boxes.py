"""Stack equal boxes on a stand."""

from gensim_envs.api import Box, Scene, Stand, Task, stack

SIZE = (0.06, 0.05, 0.025)  # metres
WORDS = {2: "two", 3: "three", 4: "four"}


class StackTheBoxes(Task):
    """Stack two to four boxes on one another on the stand."""

    def build(self, scene: Scene) -> None:
        base, color = scene.colors(2)
        stand = scene.add(Stand(base, extents=(0.09, 0.09, 0.015)))
        number = int(scene.rng.integers(2, 5))
        boxes = scene.add(Box(color, extents=SIZE), count=number)
        tower = stack(stand.pose.up(stand.asset.height), count=number, height=SIZE[2])

        scene.goal(
            f"stack the {WORDS[number]} {color} boxes on one another on the {base} stand",
            boxes,
            at=tower,
        )
