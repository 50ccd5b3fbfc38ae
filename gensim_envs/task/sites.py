"""Where the oracle builds what may be anywhere: a fixed function of what can be seen."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import numpy as np
import shapely

from gensim_envs.task.assets import asset_geometry
from gensim_envs.task.geometry import TABLE, footprint
from gensim_envs.task.goals import YAW_TOLERANCE, Goal, Place
from gensim_envs.task.patterns import Motion
from gensim_envs.task.pose import WORKSPACE, Pose, wrap
from gensim_envs.task.spec import ItemSpec

_GRID = 0.02  # metres between the sites that are tried
_GAP = 0.012  # metres that a site keeps from everything else: room for a suction cup

Outline = np.ndarray[tuple[int, int], np.dtype[np.float64]]


def pattern_places(
    items: Sequence[ItemSpec], goals: Sequence[Goal], number: int
) -> list[tuple[Place, Outline]]:
    """The places of a pattern in the order of its goals, with the outlines of what goes there."""
    return [
        (place, asset_geometry(items[goal.item_for(k)].asset).outline)
        for goal in goals
        for k, place in enumerate(goal.places)
        if place.pattern == number
    ]


def find_site(
    places: Sequence[tuple[Place, Outline]],
    obstacles: Collection[shapely.Geometry],
    anchor: Pose | None = None,
    keep: Sequence[tuple[Pose, int, float | None]] = (),
) -> Motion | None:
    """The free site for a pattern: aligned with the table, as near to its middle as possible.

    Args:
        places: of the pattern, each with the outline (n, 2) of what belongs there.
        obstacles: areas that are taken.
        anchor: where the pattern's origin is, if that is known; it may then be turned instead.
        keep: poses of things, each with the index of the place at which it should stay, and its
            yaw period, radians, or None where its heading does not count. Sites that keep most of
            them come first.
    """
    best: tuple[int, Motion] | None = None
    for motion in _motions(anchor):
        kept = sum(_stays(pose, motion(places[k][0].pose), period) for pose, k, period in keep)
        if (best is None or kept > best[0]) and is_site(places, obstacles, motion):
            best = kept, motion
            if kept == len(keep):
                break
    return None if best is None else best[1]


def _stays(have: Pose, want: Pose, period: float | None) -> bool:
    """Whether what stands at a pose is where and as it should be."""
    turned = period is not None and abs(wrap(have.yaw - want.yaw, period)) > YAW_TOLERANCE
    return have.distance(want) < 0.005 and not turned


def is_site(
    places: Sequence[tuple[Place, Outline]],
    obstacles: Collection[shapely.Geometry],
    motion: Motion,
    gap: float = _GAP,
) -> bool:
    """Whether all places of a pattern are on the table and clear of obstacles."""
    taken = np.array(list(obstacles), dtype=object)
    shapes = (footprint(outline, motion(place.pose)) for place, outline in places)
    return all(TABLE.contains(s) and not shapely.dwithin(taken, s, gap).any() for s in shapes)


def _motions(anchor: Pose | None) -> list[Motion]:
    if anchor is not None:
        return [Motion(Pose(anchor.x, anchor.y, 0.0, turn * math.pi / 12)) for turn in range(24)]
    (x0, x1), (y0, y1) = WORKSPACE
    middle = Pose((x0 + x1) / 2, (y0 + y1) / 2)
    poses = [
        Pose(float(x), float(y))
        for x in np.arange(x0, x1 + 1e-9, _GRID) for y in np.arange(y0, y1 + 1e-9, _GRID)
    ]  # fmt: skip
    return [Motion(pose) for pose in sorted(poses, key=lambda p: (p.distance(middle), p.x, p.y))]
