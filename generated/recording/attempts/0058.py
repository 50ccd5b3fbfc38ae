"""Sweep up the crumbs, then sort the blocks onto the stands that are named for their colours."""

from gensim_envs.api import Block, Pile, Pose, Scene, Stand, Task, Zone, line

STAND = (0.14, 0.06, 0.015)  # metres
END = 0.45  # metres from the middle of the table: what is not swept is at its ends


class SweepAndSortBlocks(Task):
    """Sweep the crumbs into the zone, then put each colour of blocks on its named stand."""

    def build(self, scene: Scene) -> None:
        paint, crumb, first, second, *bases = scene.colors(7)
        side = float(scene.rng.choice((-END, END)))
        stands = [
            scene.add(Stand(color, extents=STAND), at=place)
            for color, place in zip(bases, line(Pose(0.5, side), 3, spacing=0.165), strict=True)
        ]
        row = line(Pose(0.5, -side), 4, spacing=0.1)
        spots = [row[k] for k in scene.rng.permutation(4)]
        pairs = [
            [scene.add(Block(color), at=spots.pop()) for _ in range(2)] for color in (first, second)
        ]
        zone = scene.add(Zone(paint, width=0.15))
        pile = scene.add(Pile(crumb))

        scene.goal(f"sweep the {crumb} crumbs into the {zone}", pile, inside=zone)
        chosen = scene.rng.permutation(3)
        for color, blocks, k in zip((first, second), pairs, chosen, strict=False):
            scene.goal(
                f"put the two {color} blocks on the {stands[k]}", blocks, on=stands[k], only=True
            )

        scene.distract(Block(bases[chosen[2]]))
