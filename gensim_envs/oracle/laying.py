"""Laying of ropes along paths, past things that could be toppled or catch the rope."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import shapely

from gensim_envs.errors import OracleError
from gensim_envs.oracle.foresight import After, foresight
from gensim_envs.sim.bodies import first_touch
from gensim_envs.sim.world import World
from gensim_envs.task.assets import Rope
from gensim_envs.task.geometry import Array, clipped, in_workspace
from gensim_envs.task.goals import Goal, Snapshot
from gensim_envs.task.pose import WORKSPACE
from gensim_envs.task.relations import barriers, bead_targets, beads_along, movable
from gensim_envs.task.spec import TaskSpec

_OVERSHOOT = 0.004  # metres
_CLEAR = Rope.BEAD / 2 + 0.0005  # metres from a bead's middle within which it touches something
_GRID = 0.06  # metres between points to which an end may be pulled out of the way
_STRIDE = 0.008  # metres between the moments of a drag that are looked at
_TRIED = 12  # drags that are tried in a copy of the world
_CAUGHT = 0.5  # metres of error that a bead is worth whose straight way to its target is barred
_MOVED, _TURNED = 0.01, 0.1  # metres and radians by which nothing else may be moved or tilted
_GAIN = 0.0005  # metres by which a drag must bring the beads closer
_PROGRESS = 0.9  # of the error may be left by the first drag that comes to mind
_WORST = 3  # beads that are dragged beyond their places

Drag = tuple[int, Array]
"""Index of a bead, and the point (2,) to which it is dragged."""


def lay(world: World, goal: Goal, now: Snapshot) -> Array:
    """The next action (6,) for a goal about a rope.

    It drags an end to its place, then the bead that is farthest from its own. Where that would
    hardly bring the rope closer or touches something on the way, drags are tried in a copy of the
    world: of other beads, to their places and a little beyond, and of an end to where the whole
    rope is free.

    Raises:
        OracleError: the rope is out of reach, or no drag brings it closer.
    """
    spec, beads = world.spec, now.bodies[goal.items[0]]
    walls = np.array(barriers(spec, now), dtype=object)
    direct = _direct(spec, goal, now)
    trace = _trace(beads, direct)
    free = _is_graspable(world, goal, beads[direct[0]]) and not _touched(trace, walls).any()
    if free:
        then = np.column_stack([trace[-1].real, trace[-1].imag])
        error = _error(then, bead_targets(spec, goal, now), walls)
        if error < _PROGRESS * _badness(spec, goal, now, walls):
            return _action(beads, direct)
    stages: tuple[Callable[[], list[Drag]], ...] = (
        lambda: [direct, *_beyond(spec, goal, now)],
        lambda: _others(spec, goal, now, walls),
    )
    graspable = cache(lambda bead: _is_graspable(world, goal, beads[bead]))
    reachable = False
    with foresight(world) as after:
        for stage in stages:
            drags = [drag for drag in stage() if graspable(drag[0])][:_TRIED]
            reachable = reachable or bool(drags)
            action = _best(spec, goal, now, walls, drags, after)
            if action is not None:
                return action
    if not reachable:
        raise OracleError("the rope is out of reach")
    if free:
        return _action(beads, direct)  # the least bad
    raise OracleError("the rope is caught on something, or would topple it")


def _best(
    spec: TaskSpec, goal: Goal, now: Snapshot, walls: Array, drags: Sequence[Drag], after: After
) -> Array | None:
    """The action (6,) of the drag that brings a rope closest; None if none brings it closer."""
    beads = now.bodies[goal.items[0]]
    best, chosen = _badness(spec, goal, now, walls) - _GAIN, None
    for drag in drags:
        action = _action(beads, drag)
        then = after(action)
        if _harms(spec, now, then):
            continue
        if beads_along(spec, goal, then) == 1:
            return action
        badness = _badness(spec, goal, then, walls)
        if badness < best:
            best, chosen = badness, action
    return chosen


def _direct(spec: TaskSpec, goal: Goal, now: Snapshot) -> Drag:
    """An end that is not in place, else the bead that is farthest from its place."""
    beads, targets = now.bodies[goal.items[0]], bead_targets(spec, goal, now)
    error = np.linalg.norm(beads[:, :2] - targets, axis=1)
    last = len(beads) - 1
    ends = [k for k in (0, last) if error[k] > goal.position_tolerance / 2]
    bead = max(ends or range(last + 1), key=lambda k: float(error[k]))
    place = targets[bead]
    if 0 < bead < last:
        # Its neighbours pull it back a little.
        place = place + _OVERSHOOT * (place - beads[bead, :2]) / max(1e-9, float(error[bead]))
    return bead, clipped(place)


def _beyond(spec: TaskSpec, goal: Goal, now: Snapshot) -> list[Drag]:
    """Drags of the beads that are farthest from their places to those, and a little farther."""
    beads, targets = now.bodies[goal.items[0]], bead_targets(spec, goal, now)
    away = targets - beads[:, :2]
    error = np.linalg.norm(away, axis=1)
    worst = [int(k) for k in np.argsort(-error, kind="stable")[:_WORST]]
    return [
        (k, clipped(targets[k] + beyond * away[k] / max(1e-9, float(error[k]))))
        for k in worst
        for beyond in (0.0, 2 * _OVERSHOOT)
    ]


def _others(spec: TaskSpec, goal: Goal, now: Snapshot, walls: Array) -> list[Drag]:
    """Other drags, the most promising ones first, if the rope followed freely."""
    beads, targets = now.bodies[goal.items[0]], bead_targets(spec, goal, now)
    last = len(beads) - 1
    (x0, x1), (y0, y1) = WORKSPACE
    grid = itertools.product(np.arange(x0 + 0.02, x1, _GRID), np.arange(y0 + 0.02, y1, _GRID))
    drags = [(bead, clipped(targets[bead])) for bead in range(0, last + 1, 3)]
    drags += [(0, clipped(targets[last])), (last, clipped(targets[0]))]
    drags += [(end, np.array(point)) for end, point in itertools.product((0, last), grid)]
    ranked = []
    for number, drag in enumerate(drags):
        trace = _trace(beads, drag)
        then = np.column_stack([trace[-1].real, trace[-1].imag])
        hits = int(_touched(trace[1:], walls).sum())
        ranked.append((_error(then, targets, walls) + 0.02 * hits, number))
    return [drags[number] for _, number in sorted(ranked)]


def _is_graspable(world: World, goal: Goal, bead: Array) -> bool:
    """Whether the cup touches the rope first where a bead (3,) is, and nothing beside it."""
    x, y = (float(value) for value in bead[:2].astype(np.float32))  # as in an action
    return in_workspace(x, y) and world.item_of(first_touch(world, x, y).body) == goal.items[0]


def _action(beads: Array, drag: Drag) -> Array:
    bead, place = drag
    return np.array([*beads[bead, :2], 0.0, *place, 0.0])


def _trace(beads: Array, drag: Drag) -> Array:
    """Where a rope's beads (k, 3) would be during a drag, (moments, k), as complex numbers.

    Each bead follows the one before it at no more than their distance, as on a table without
    obstacles.
    """
    bead, place = drag
    line = beads[:, 0] + 1j * beads[:, 1]
    start, end = complex(line[bead]), complex(place[0], place[1])
    moments = max(1, math.ceil(abs(end - start) / _STRIDE))
    pitch = float(np.abs(np.diff(line)).sum()) / (len(beads) - 1)
    trace = [line.tolist()]
    for moment in range(1, moments + 1):
        now = list(trace[-1])
        now[bead] = start + (end - start) * moment / moments
        for step in (1, -1):
            k = bead + step
            while 0 <= k < len(now):
                behind = now[k] - now[k - step]
                if (gap := abs(behind)) <= pitch:
                    break
                now[k] = now[k - step] + behind * (pitch / gap)
                k += step
        trace.append(now)
    return np.array(trace)


def _touched(trace: Array, walls: Array) -> Array:
    """Which beads (k,) come to touch a wall at some moment of a trace (moments, k)."""
    if not len(walls):
        return np.zeros(trace.shape[1], bool)
    points = np.asarray(shapely.points(trace.real, trace.imag))
    near = np.asarray(shapely.dwithin(points[..., None], walls, _CLEAR))
    return np.asarray(near.any(axis=(0, 2)))


def _badness(spec: TaskSpec, goal: Goal, now: Snapshot, walls: Array) -> float:
    """How far a rope is from lying on its path, metres; more where it is caught."""
    beads = now.bodies[goal.items[0]]
    return _error(beads[:, :2], bead_targets(spec, goal, now), walls)


def _error(beads: Array, targets: Array, walls: Array) -> float:
    error = np.linalg.norm(beads - targets, axis=1)
    ways = np.asarray(shapely.linestrings(np.stack([beads, targets], axis=1)))
    inner = shapely.buffer(walls, -0.002)
    caught = shapely.intersects(ways[:, None], inner).any(axis=1) if len(walls) else 0.0
    return float((error + _CAUGHT * caught).mean())


def _harms(spec: TaskSpec, now: Snapshot, then: Snapshot) -> bool:
    """Whether something that is not soft is moved or tilted."""
    return any(
        now.poses[k].distance(then.poses[k]) > _MOVED
        or abs(now.poses[k].z - then.poses[k].z) > _MOVED
        or abs(now.tilts[k] - then.tilts[k]) > _TURNED
        for k in movable(spec, now)
    )
