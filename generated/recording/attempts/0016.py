"""Raise an arch on two tapering pillars, level by level, and set its keystone."""

from gensim_envs.api import Box, Scene, Stand, Task, line

PAD = (0.08, 0.08, 0.01)  # metres
SPAN = 0.12  # metres between the middles of the pads
WIDTHS = (0.06, 0.05, 0.04)  # metres, of the pillars' boxes from the foot up
HEIGHT = 0.035  # metres, of each of these boxes
LINTEL = (0.18, 0.045, 0.02)  # metres
KEYSTONE = (0.04, 0.03, 0.025)


class ColorCoordinatedArch(Task):
    """Build two pillars of three levels in matching colours, a lintel and a keystone."""

    def build(self, scene: Scene) -> None:
        stone, *colors, long, key, other = scene.colors(7)
        site = scene.reserve(radius=0.11)
        pads = [scene.add(Stand(stone, extents=PAD), at=place) for place in line(site, 2, SPAN)]
        foot, middle, top = (
            scene.add(Box(color, extents=(width, width, HEIGHT)), count=2)
            for color, width in zip(colors, WIDTHS)
        )
        lintel = scene.add(Box(long, extents=LINTEL))
        keystone = scene.add(Box(key, extents=KEYSTONE))
        scene.distract(Box(other, extents=(WIDTHS[0], WIDTHS[0], HEIGHT)))
        scene.distract(Box(other, extents=(WIDTHS[2], WIDTHS[2], HEIGHT)))

        scene.goal(f"put the two {foot} on the two {stone} stands, one on each", foot, on=pads)
        scene.goal(f"put the two {middle} on the {foot}, one on each", middle, on=foot)
        scene.goal(f"put the two {top} on the {middle}, one on each", top, on=middle)
        scene.goal(
            f"lay the {lintel} across the two {top}, so that it rests on both",
            lintel,
            on=(top[0], top[1]),
        )
        scene.goal(
            f"put the {keystone} on the middle of the {lintel}", keystone, on=lintel, part="middle"
        )
