"""Build a square tower that narrows: four blocks, two, one, and a turned one as its spire."""

from gensim_envs.api import Block, Scene, Task, grid, line

BLOCK = 0.04  # metres
SPACING = 0.048  # metres: leaves 8 mm between neighbours
EIGHTH = 0.7854  # radians: half way between two turns in which a block looks the same


class ColorStructuredBlockTower(Task):
    """Stack four storeys of blocks, one colour each, narrowing to a turned spire."""

    def build(self, scene: Scene) -> None:
        site = scene.reserve(radius=0.07)
        storeys = (
            ("in a square", grid(site, 2, 2, SPACING)),
            ("over the gaps", line(site.up(BLOCK), 2, SPACING)),
            ("over the gap between them", [site.up(2 * BLOCK)]),
            ("as a spire, turned by an eighth", [site.up(3 * BLOCK).turned(EIGHTH)]),
        )
        below = None

        for color, (where, places) in zip(scene.colors(4), storeys):
            blocks = scene.add(Block(color), count=len(places))
            on = f" on the {below}," if below else ""
            scene.goal(f"put the {blocks}{on} {where}", blocks, at=places)
            below = blocks
