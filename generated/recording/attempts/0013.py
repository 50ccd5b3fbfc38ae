"""Set the table: a plate on the mat, the fork on its left, the knife on its right, and a mug."""

from gensim_envs.api import Household, Pose, Scene, Task, Zone

MAT = 0.20  # metres
SIDE = 0.075  # metres from the middle of the mat to the cutlery
BEHIND = 0.15  # metres from the middle of the mat to the mug


class SetTheTable(Task):
    """Put a plate, a fork, a knife and a mug where they belong on a place mat."""

    def build(self, scene: Scene) -> None:
        cloth, clay = scene.colors(2, exclude=["white", "gray"])
        x, y = scene.rng.uniform((0.46, -0.33), (0.60, 0.33))
        mat = scene.add(Zone(cloth, width=MAT), at=Pose(x, y))
        plate = scene.add(Household("white", "plate"))
        fork = scene.add(Household("gray", "fork"))
        knife = scene.add(Household("gray", "table_knife"))
        mug = scene.add(Household(clay, "coffee_mug"))

        # Seen by who sits at the low edge of the picture; half a turn points the cutlery away.
        left, right = (mat.pose @ Pose(0, y, 0, 3.1416) for y in (-SIDE, SIDE))

        scene.goal(f"put the {plate} in the middle of the {mat}", plate, at=mat)
        scene.goal(f"lay the {fork} on the left side of the {mat}", fork, at=left)
        scene.goal(f"lay the {knife} on the right side of the {mat}", knife, at=right)
        scene.goal(f"put the {mug} behind the {mat}", mug, at=mat.pose @ Pose(-BEHIND, 0))
