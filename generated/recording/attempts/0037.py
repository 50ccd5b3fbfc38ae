"""Gather crumbs at the named end of a painted line and sweep them on to the other end."""

from gensim_envs.api import Line, Pile, Pose, Scene, Task, Zone

WAY = 0.11  # metres, length of the line
ZONE = 0.125  # metres


class MovePilesAlongLine(Task):
    """Sweep a pile into the zone at one end of a line, then on into the one at its other end."""

    def build(self, scene: Scene) -> None:
        stripe, first, last, crumb = scene.colors(4)
        middle = scene.reserve(radius=0.19)
        scene.add(Line(stripe, length=WAY), at=middle)
        start, end = (
            scene.add(Zone(color, width=ZONE), at=middle @ Pose(side * (WAY + ZONE) / 2, 0))
            for color, side in ((first, -1), (last, 1))
        )
        pile = scene.add(Pile(crumb))

        scene.goal(
            f"gather the {crumb} crumbs in the {start} at one end of the line", pile, inside=start
        )
        scene.goal(
            f"sweep the {crumb} crumbs on into the {end} at the other end of the line",
            pile,
            inside=end,
        )
