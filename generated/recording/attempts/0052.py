"""Sort blocks into two yards, then build a castle gate on them where they stand."""

from gensim_envs.api import Block, Box, Pose, Roof, Scene, Task, Zone

YARD = 0.12  # metres across a zone
SIDE = 0.075  # metres from the middle of the gate to the middle of a zone
WALL = (0.11, 0.04, 0.03)  # metres
BEAM = (0.22, 0.05, 0.02)
ROOF = (0.14, 0.06, 0.035)


class SortAndAssembleBlockCastle(Task):
    """Sort two colours of blocks into zones, lay a wall on each pair, a beam across and a roof."""

    def build(self, scene: Scene) -> None:
        *paints, left, right, spare, wood = scene.colors(6)
        gate = scene.reserve(radius=0.15)
        yards = [
            scene.add(Zone(paint, width=YARD), at=gate @ Pose(side, 0))
            for paint, side in zip(paints, (-SIDE, SIDE), strict=True)
        ]
        pairs = [scene.add(Block(color), count=2) for color in (left, right)]
        walls = [scene.add(Box(color, extents=WALL)) for color in (right, left)]
        beam = scene.add(Box(wood, extents=BEAM))
        roof = scene.add(Roof(spare, extents=ROOF))

        for pair, yard in zip(pairs, yards, strict=True):
            scene.goal(f"sort the two {pair} into the {yard}", pair, inside=yard)
        for pair, wall in zip(pairs, walls, strict=True):
            scene.goal(f"lay the long {wall} across the two {pair} as a wall", wall, on=tuple(pair))
        scene.goal(f"lay the {beam} across both walls as the beam of the gate", beam, on=tuple(walls))
        scene.goal(f"put the {roof} on the {beam}", roof, on=beam)

        scene.distract(Block(spare), count=2)
