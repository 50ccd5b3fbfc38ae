"""Sort blocks into zones, then build a castle gate of two towers, a beam and a roof with them."""

from gensim_envs.api import Block, Box, Pose, Roof, Scene, Task, Zone, stack

BLOCK = 0.04  # metres
BEAM = (0.18, 0.05, 0.02)  # metres
ROOF = (0.14, 0.06, 0.035)
SIDE = 0.065  # metres from the gate's middle to the middle of a tower
YARD = 0.14  # metres across a zone


class SortAndAssembleBlockCastle(Task):
    """Put each colour of blocks into its zone, then build two towers, a beam and a roof."""

    def build(self, scene: Scene) -> None:
        paints, stones = scene.colors(2), scene.colors(2)
        wood, tile = scene.colors(2, exclude=stones)
        gate = scene.reserve(radius=0.10)
        yards = [scene.add(Zone(paint, width=YARD)) for paint in paints]
        pairs = [scene.add(Block(stone), count=2) for stone in stones]
        beam = scene.add(Box(wood, extents=BEAM))
        roof = scene.add(Roof(tile, extents=ROOF))

        for pair, yard in zip(pairs, yards):
            scene.goal(f"sort the two {pair} into the {yard}", pair, inside=yard, fully=True)
        for pair, side in zip(pairs, (-SIDE, SIDE)):
            scene.goal(
                f"stack the two {pair} as one tower of a castle gate",
                pair,
                at=stack(gate @ Pose(side, 0), 2, BLOCK),
            )
        scene.goal(f"lay the {beam} across both towers", beam, at=gate.up(2 * BLOCK))
        scene.goal(f"put the {roof} on the {beam}", roof, on=beam)
