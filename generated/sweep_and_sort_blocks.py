"""Sweep up the crumbs, then sort the blocks by colour."""

from gensim_envs.api import Block, Pile, Pose, Scene, Stand, Task, Zone, line

APART = 0.04  # metres from the middle of a stand to a block
END = 0.455  # metres from the middle of the table to a stand
ROW = 0.37  # metres from the middle of the table to the row of blocks


class SweepAndSortBlocks(Task):
    """Sweep the crumbs into the zone, then put the blocks onto the stand of their colour."""

    def build(self, scene: Scene) -> None:
        paint, crumb, *colors = scene.colors(4)
        stands = [
            scene.add(Stand(color), at=Pose(0.5, side * END)) for color, side in zip(colors, (-1, 1))
        ]
        spots = line(Pose(0.5, ROW * float(scene.rng.choice((-1, 1)))), count=4, spacing=0.08)
        pairs = [
            [scene.add(Block(color), at=spots[k + shift]) for shift in (0, 2)]
            for k, color in enumerate(colors)
        ]
        zone = scene.add(Zone(paint, width=0.15))
        pile = scene.add(Pile(crumb))

        scene.goal(f"sweep the {crumb} crumbs into the {zone}", pile, inside=zone)
        for color, blocks, stand in zip(colors, pairs, stands):
            scene.goal(
                f"put the two {color} blocks side by side on the {stand}",
                blocks,
                on=stand,
                offset=[Pose(-APART, 0), Pose(APART, 0)],
            )
