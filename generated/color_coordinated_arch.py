"""Raise an arch on two tapering pillars, level by level, and set its keystone."""

from gensim_envs.api import Box, Pose, Scene, Task

WIDTHS = (0.06, 0.05, 0.04)  # metres, of the pillars' boxes from the foot up
HEIGHT = 0.035  # metres, of each of these boxes
LINTEL = (0.18, 0.045, 0.02)  # metres
KEYSTONE = (0.04, 0.03, 0.025)
SIDE = 0.06  # metres from the arch's middle to the middle of a pillar


class ColorCoordinatedArch(Task):
    """Build two pillars of three levels in matching colours, a lintel and a keystone."""

    def build(self, scene: Scene) -> None:
        *colors, long, key = scene.colors(5)
        site = scene.reserve(radius=0.11)
        foot, middle, top = (
            scene.add(Box(color, extents=(width, width, HEIGHT)), count=2)
            for color, width in zip(colors, WIDTHS)
        )
        lintel = scene.add(Box(long, extents=LINTEL))
        keystone = scene.add(Box(key, extents=KEYSTONE))
        feet = [site @ Pose(-SIDE, 0), site @ Pose(SIDE, 0)]

        scene.goal(f"set up the two {foot} as the feet of an arch", foot, at=feet)
        scene.goal(f"put the {middle} on the {foot}, one on each", middle, on=foot)
        scene.goal(f"put the {top} on the {middle}, one on each", top, on=middle)
        scene.goal(
            f"lay the {lintel} across the two {top}", lintel, at=site.up(HEIGHT * len(WIDTHS))
        )
        scene.goal(f"put the {keystone} on the middle of the {lintel}", keystone, on=lintel)
