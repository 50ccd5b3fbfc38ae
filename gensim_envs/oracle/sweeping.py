"""Sweeping of piles: the push that leaves most crumbs inside, by a simple model."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator

import numpy as np
import shapely

from gensim_envs.sim.arm.robot import BLADE_SIZE
from gensim_envs.task.assets import Pile
from gensim_envs.task.geometry import Array, transform
from gensim_envs.task.goals import Goal, Snapshot
from gensim_envs.task.pose import WORKSPACE, Pose
from gensim_envs.task.relations import crumbs_inside
from gensim_envs.task.spec import TaskSpec

_LANE = 0.0115  # metres: a crumb and a little air
_END = BLADE_SIZE[1] / 2 - 0.002  # metres from the blade's middle to a crumb at its very end
_ROOM = 0.0025  # metres between the blade and a wall: a crumb there is just in reach
_SHORT = (0.0, 0.15, 0.3, 0.4, 0.45)  # zone widths before its middle at which a push may end

Push = tuple[Array, Array]
"""Start and end (x, y) of a push."""


def best_push(spec: TaskSpec, goal: Goal, now: Snapshot) -> Array | None:
    """The next push for a goal about a pile.

    Args:
        spec: the task.
        goal: a pile is inside a zone.
        now: where everything is.

    Returns:
        An action (6,), or None if the blade fits behind no crumb.
    """
    crumbs, base = now.bodies[goal.items[0]], goal.places[0].base
    assert base is not None  # checked when the goal was declared
    within = crumbs_inside(spec, base, crumbs, now)
    outside = crumbs[~within][:, :2]
    middle = np.array([now.poses[base].x, now.poses[base].y])
    obstacles = _obstacles(spec, now)
    loose = np.concatenate(list(now.bodies.values()))  # of all piles and ropes

    def best_of(
        pushes: Iterator[Push], gain: Callable[[Array], float], more_than: float = -math.inf
    ) -> Array | None:
        free = (push for push in pushes if not _lands_on(loose, *push))
        return _best_of(free, crumbs, obstacles, gain, more_than)

    def inside(moved: Array) -> float:
        return float(crumbs_inside(spec, base, moved, now).sum())

    def nearness(aim: Array) -> Callable[[Array], float]:
        return lambda moved: -float(np.linalg.norm(moved[~within, :2] - aim, axis=1).mean())

    width = spec.items[base].asset.size[0]
    best = best_of(_toward(outside, middle, width), inside, within.sum())
    corner = _detour(outside.mean(axis=0), middle, obstacles)
    if best is None and corner is not None:
        best = best_of(_toward(outside, corner, 0.0), nearness(corner))
    if best is None:
        # The blade does not fit behind them: push them out of their corner first.
        best = best_of(_sideways(outside), nearness(middle))
    return best


def _obstacles(spec: TaskSpec, now: Snapshot) -> shapely.Geometry:
    """The obstacles to a blade, as one shape."""
    return shapely.union_all(
        [
            footprint(spec, k, now.poses[k])
            for k, item in enumerate(spec.items)
            if not (spec.geometry(k).flat or item.bodies) and now.has(k)
        ]
    )


def footprint(spec: TaskSpec, item: int, pose: Pose) -> shapely.Polygon:
    """The outline of an item at a pose, as seen from above."""
    return shapely.Polygon(transform(spec.geometry(item).outline, pose))


def _toward(crumbs: Array, aim: Array, width: float) -> Iterator[Push]:
    """Pushes from behind each crumb (k, 2) to a point, or to at most `width` before it."""
    for crumb in crumbs:
        toward = (aim - crumb) / max(1e-9, float(np.linalg.norm(aim - crumb)))
        for behind, short in itertools.product((0.02, 0.05, 0.1), _SHORT if width else (0.0,)):
            yield _clipped(crumb - toward * behind), aim - toward * short * width


def _sideways(crumbs: Array) -> Iterator[Push]:
    """Short pushes of each crumb (k, 2) in every direction, with the blade's middle and its ends.

    The ends reach crumbs along a wall.
    """
    for crumb, angle in itertools.product(crumbs, np.arange(16) * math.tau / 16):
        toward = np.array([math.cos(angle), math.sin(angle)])
        for across, ahead in itertools.product((0.0, -_END, _END), (0.06, 0.03)):
            middle = crumb + across * np.array([-toward[1], toward[0]])
            yield _clipped(middle - toward * 0.016), _clipped(middle + toward * ahead)


def _best_of(
    pushes: Iterator[Push],
    crumbs: Array,
    obstacles: shapely.Geometry,
    gain: Callable[[Array], float],
    more_than: float,
) -> Array | None:
    """The action (6,) of the push after which `gain` of the crumbs (k, 3) is largest."""
    best: tuple[float, Array] | None = None
    for start, end in pushes:
        if _blocked(start, end, obstacles):
            continue
        value = gain(_pushed(crumbs, start, end))
        if value > (more_than if best is None else best[0]):
            best = value, np.array([*start, 0.0, *end, 0.0])
    return None if best is None else best[1]


def _clipped(point: Array) -> Array:
    (x0, x1), (y0, y1) = WORKSPACE
    return np.clip(point, (x0, y0), (x1, y1))


def _blocked(start: Array, end: Array, obstacles: shapely.Geometry) -> bool:
    """Whether the blade, with some clearance, would hit an obstacle."""
    ahead = (end - start) / max(1e-9, float(np.linalg.norm(end - start)))
    thick = (BLADE_SIZE[0] / 2 + _ROOM) * ahead
    way = shapely.LineString([start - thick, end + thick])
    swept = way.buffer(BLADE_SIZE[1] / 2 + _ROOM, cap_style="flat")
    return bool(shapely.intersects(swept, obstacles))


def _detour(start: Array, end: Array, obstacles: shapely.Geometry) -> Array | None:
    """None if the blade can go straight, else the corner (2,) of the shortest way round."""
    if not _blocked(start, end, obstacles):
        return None
    best: tuple[float, Array] | None = None
    (x0, x1), (y0, y1) = WORKSPACE
    for x, y in itertools.product(np.arange(x0 + 0.06, x1 - 0.05, 0.04), np.arange(y0, y1, 0.04)):
        corner = np.array([x, y])
        length = float(np.linalg.norm(corner - start) + np.linalg.norm(end - corner))
        if best is not None and length >= best[0]:
            continue
        if not (_blocked(start, corner, obstacles) or _blocked(corner, end, obstacles)):
            best = length, corner
    return None if best is None else best[1]


def _lands_on(crumbs: Array, start: Array, end: Array) -> bool:
    """Whether the blade would come down on a crumb or bead (k, 3) at `start`."""
    ahead = (end - start) / max(1e-9, float(np.linalg.norm(end - start)))
    offset = crumbs[:, :2] - start
    along, across = offset @ ahead, offset @ np.array([-ahead[1], ahead[0]])
    near = (np.abs(along) < 0.014) & (np.abs(across) < BLADE_SIZE[1] / 2 + 0.008)
    return bool(near.any())


def _pushed(crumbs: Array, start: Array, end: Array) -> Array:
    """Crumbs (k, 3) after a push, if each moved only straight ahead.

    In each lane of a crumb's width the blade pushes the first crumb, which pushes the next, and so
    on.
    """
    length = float(np.linalg.norm(end - start))
    if length < 1e-6:
        return crumbs
    ahead = (end - start) / length
    side = np.array([-ahead[1], ahead[0]])
    along, across = (crumbs[:, :2] - start) @ ahead, (crumbs[:, :2] - start) @ side
    lanes = np.floor(across / _LANE).astype(int)
    face = length + BLADE_SIZE[0] / 2 + Pile.CRUMB / 2
    after = along.copy()
    swept = (np.abs(across) < (BLADE_SIZE[1] + Pile.CRUMB) / 2) & (along > 0)
    for lane in set(lanes[swept].tolist()):
        row = np.flatnonzero(swept & (lanes == lane))
        row = row[np.argsort(along[row], kind="stable")]
        steps = np.arange(len(row)) * _LANE
        after[row] = steps + np.maximum.accumulate(np.maximum(along[row] - steps, face))
    moved = crumbs.copy()
    moved[:, :2] += np.outer(after - along, ahead)
    return moved
