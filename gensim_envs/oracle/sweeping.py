"""Sweeping of piles: the pushes that leave things best, by a simple model of them.

Many pushes are compared at once: P pushes of k crumbs.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import shapely
from numpy.typing import NDArray

from gensim_envs.oracle.foresight import foresight
from gensim_envs.sim.arm.robot import BLADE_SIZE
from gensim_envs.sim.world import World
from gensim_envs.task.assets import Pile
from gensim_envs.task.geometry import Array, clipped
from gensim_envs.task.goals import Goal, Snapshot
from gensim_envs.task.pose import WORKSPACE
from gensim_envs.task.relations import barriers, crumbs_inside
from gensim_envs.task.spec import TaskSpec

_LANE = 0.0115  # metres: a crumb and a little air
_END = BLADE_SIZE[1] / 2 - 0.002  # metres from the blade's middle to a crumb at its very end
_ROOM = 0.0025  # metres between the blade and a wall: a crumb there is just in reach
_REACH = BLADE_SIZE[1] / 2 - 0.005  # metres beyond the workspace to which the blade reaches
_SHORT = (0.0, 0.15, 0.3, 0.4, 0.45)  # zone widths before its middle at which a push may end
_MOST = 16  # crumbs from behind which pushes are tried, of the many that are to be moved
_FAR = 4.0  # crumbs inside that are worth a metre less between a crumb and its zone
_BESIDE = 0.0055  # metres from a foreign crumb's middle: half of a crumb and a little air
_BEHIND, _WAY = 0.03, 0.06  # metres behind a crumb and beside its way that a push takes
_STILL = 1e-6  # metres by which rounding may seem to move a crumb
_GAIN = 1e-3  # crumbs inside by which a push must make things better
_GOOD = 0.9  # of the best push's gain: those that gain as much are as good
_LISTED = 32  # pushes at most that are as good
_TRIED = 12  # pushes that are tried in a copy of the world
_FREE = 0.02  # metres from walls at which the blade fits behind a crumb
_BLAME = (1.0, 3.0, 10.0)  # crumbs inside that are worth one that does not belong there

Mask = NDArray[np.bool_]
Push = tuple[Array, Array]
"""Start and end (x, y) of a push."""


@dataclass(frozen=True)
class _Sweep:
    """A goal about a pile, at one moment.

    Attributes:
        world: where things are.
        spec: the task.
        pile: to push.
        strangers: piles and ropes that do not belong into the zones.
        bases: the zones.
        now: where everything is.
        own: crumbs (k, 3) of the pile.
        foreign: crumbs (m, 3) that do not belong into the zones.
        loose: all crumbs and beads (n, 3).
        walls: obstacles to the blade.
    """

    world: World
    spec: TaskSpec
    pile: int
    strangers: tuple[int, ...]
    bases: tuple[int, ...]
    now: Snapshot
    own: Array
    foreign: Array
    loose: Array
    walls: shapely.Geometry

    def inside(self, crumbs: Array) -> Mask:
        """Which of crumbs (..., 3) are inside, a mask (...)."""
        flat = crumbs.reshape(-1, 3)
        masks = [crumbs_inside(self.spec, base, flat, self.now) for base in self.bases]
        return np.asarray(np.any(masks, axis=0)).reshape(crumbs.shape[:-1])

    def away(self, crumbs: Array) -> Array:
        """Distance of crumbs (..., 3) from the middle of the nearest zone, metres (...)."""
        middles = np.array([(self.now.poses[k].x, self.now.poses[k].y) for k in self.bases])
        gaps = np.linalg.norm(crumbs[..., None, :2] - middles, axis=-1)
        return np.asarray(gaps.min(axis=-1))

    def worth(self, own: Array, foreign: Array, blame: float) -> Array:
        """How good states are (P,), given the crumbs' positions (P, k, 3) and (P, m, 3) in them."""
        there = self.inside(own)
        far = np.where(there, 0.0, self.away(own)).sum(axis=-1)
        wrong = self.inside(foreign).sum(axis=-1)
        return np.asarray(there.sum(axis=-1) - _FAR * far - blame * wrong)


def good_pushes(
    world: World, spec: TaskSpec, goal: Goal, now: Snapshot, strangers: Sequence[int] = ()
) -> Array | None:
    """The next pushes for a goal about a pile that are about equally good.

    Args:
        world: where things are.
        spec: the task.
        goal: a pile is inside a zone.
        now: where everything is.
        strangers: piles that do not belong there.

    Returns:
        Actions (k, 6), the best one first, or None if the blade reaches no crumb, or not all of
        them.
    """
    pile, bases = goal.items[0], tuple(sorted(goal.bases))
    foreign = _bodies(now, strangers)
    sweep = _Sweep(
        world, spec, pile, tuple(strangers), bases, now, now.bodies[pile], foreign,
        _bodies(now, list(now.bodies)), shapely.union_all(barriers(spec, now)),
    )  # fmt: skip
    outside = sweep.own[~sweep.inside(sweep.own)][:, :2]
    if not (np.abs(outside - clipped(outside)) <= _REACH).all():
        return None
    wrong = sweep.foreign[sweep.inside(sweep.foreign)][:, :2]
    aims = _aims(sweep)
    if len(foreign):
        actions = _apart(sweep, outside, wrong, *aims)
        if actions is not None:
            return actions
    straight = _possible(sweep, [*_toward(_some(outside), *aims), *_sideways(sweep, _some(wrong))])
    for blame in _BLAME:
        actions = _good(sweep, straight, partial(sweep.worth, blame=blame))
        if actions is not None:
            return actions
    return _roundabout(sweep, outside if len(outside) else wrong, aims[0])


def _bodies(now: Snapshot, items: Sequence[int]) -> Array:
    """All crumbs and beads (n, 3) of some piles and ropes."""
    return np.concatenate([np.zeros((0, 3)), *(now.bodies[k] for k in items)])


def _apart(
    sweep: _Sweep, outside: Array, wrong: Array, middles: Array, width: float
) -> Array | None:
    """Pushes that move crumbs of one kind only: no push parts piles that have been mixed.

    Args:
        sweep: the goal.
        outside: crumbs (k, 2) of the pile that are to be moved.
        wrong: crumbs (m, 2) that are to leave the zones.
        middles: of the zones, (n, 2).
        width: of the narrowest zone, metres.
    """
    past_own, past_foreign = _past(sweep, sweep.own), _past(sweep, sweep.foreign)
    worth = partial(sweep.worth, blame=1.0)
    straight = _toward(_some(outside), middles, width, (0.0, -_END, _END))
    actions = _good(sweep, _unmixed(past_foreign, straight), worth)
    if actions is None:
        out = _sideways(sweep, _some(wrong))
        actions = _good(sweep, _unmixed(past_own, out), worth)
    if actions is None and len(outside):
        actions = _round(past_foreign, outside, middles, _unmixed)
    if actions is None and len(outside):
        actions = _make_way(sweep, past_own, _some(outside), middles)
    return actions


def _past(sweep: _Sweep, crumbs: Array) -> _Sweep:
    """A goal with crumbs (k, 3) among the walls."""
    discs = shapely.MultiPoint(crumbs[:, :2]).buffer(_BESIDE)
    return replace(sweep, walls=shapely.union(sweep.walls, discs))


def _unmixed(sweep: _Sweep, pushes: Sequence[Push]) -> Array:
    """The possible pushes (P, 2, 2) that do not move crumbs of both kinds."""
    found = _possible(sweep, pushes)
    if not len(found):
        return found
    crumbs = np.concatenate([sweep.own, sweep.foreign])
    moved = (np.abs(_pushed(crumbs, found) - crumbs) > _STILL).any(axis=-1)
    count = len(sweep.own)
    return np.asarray(found[~(moved[:, :count].any(axis=1) & moved[:, count:].any(axis=1))])


def _make_way(sweep: _Sweep, past_own: _Sweep, crumbs: Array, middles: Array) -> Array | None:
    """Pushes of foreign crumbs away from the straight ways of crumbs (k, 2) to their zone."""
    nearest = np.linalg.norm(crumbs[:, None] - middles, axis=-1).argmin(axis=1)
    path = middles[nearest] - crumbs
    length = np.linalg.norm(path, axis=1)
    ahead = path / length[:, None]

    def in_the_way(foreign: Array) -> Array:
        """How much foreign crumbs (P, m, 3) are in the way, from 0 to k each, (P, m)."""
        offset = foreign[:, None, :, :2] - crumbs[:, None]
        along = np.einsum("pkmd,kd->pkm", offset, ahead)
        foot = ahead[:, None] * np.clip(along, -_BEHIND, length[:, None])[..., None]
        gaps = np.linalg.norm(offset - foot, axis=-1)
        return np.asarray(np.maximum(0, 1 - gaps / _WAY).sum(axis=1))

    blocking = sweep.foreign[in_the_way(sweep.foreign[None])[0] > 0][:, :2]
    pushes = _unmixed(past_own, _sideways(sweep, _some(blocking)))
    return _good(sweep, pushes, lambda _, foreign: -in_the_way(foreign).sum(axis=1))


def _roundabout(sweep: _Sweep, crumbs: Array, middles: Array) -> Array | None:
    """Pushes of crumbs (k, 2) that cannot go straight: round an obstacle, or along a wall."""
    if not len(crumbs):
        return None
    actions = _round(sweep, crumbs, middles, _possible)
    if actions is not None:
        return actions

    def freedom(own: Array, foreign: Array) -> Array:
        room = ~shapely.dwithin(sweep.walls, shapely.points(own[..., :2]), _FREE)
        room &= (own[..., :2] == clipped(own[..., :2])).all(axis=-1)
        free = (room | sweep.inside(own)).sum(axis=-1)
        return np.asarray(free + 0.1 * sweep.worth(own, foreign, 1.0))

    return _tried(sweep, _possible(sweep, _sideways(sweep, _some(crumbs))), freedom)


def _tried(sweep: _Sweep, pushes: Array, worth: Callable[[Array, Array], Array]) -> Array | None:
    """The action (1, 6) of a push (P, 2, 2) that makes a copy of the world better, if one does.

    Those that the model of pushes finds best are tried: it does not know that walls stop crumbs.
    """
    if not len(pushes):
        return None
    best, chosen = worth(sweep.own[None], sweep.foreign[None])[0] + _GAIN, None
    order = np.argsort(-_values(sweep, pushes, worth), kind="stable")[:_TRIED]
    with foresight(sweep.world) as after:
        for action in map(_action, pushes[order]):
            then = after(action, push=True)
            own, foreign = then.bodies[sweep.pile], _bodies(then, sweep.strangers)
            value = worth(own[None], foreign[None])[0]
            if value > best:
                best, chosen = value, action[None]
    return chosen


def _round(
    sweep: _Sweep,
    crumbs: Array,
    middles: Array,
    possible: Callable[[_Sweep, Sequence[Push]], Array],
) -> Array | None:
    """Pushes of crumbs (k, 2) toward the corner of a way round walls, if one is in the way."""
    start = crumbs.mean(axis=0)
    end = middles[np.linalg.norm(middles - start, axis=1).argmin()]
    corner = _detour(start, end, sweep.walls)
    stray = ~sweep.inside(sweep.own)
    if corner is None or not stray.any():
        return None

    def nearness(own: Array, foreign: Array) -> Array:
        gaps = np.linalg.norm(own[:, stray, :2] - corner, axis=-1).mean(axis=-1)
        return np.asarray(-gaps - 0.01 * sweep.inside(foreign).sum(axis=-1))

    pushes = possible(sweep, _toward(_some(crumbs), corner[None], 0.0))
    return _good(sweep, pushes, nearness)


def _aims(sweep: _Sweep) -> tuple[Array, float]:
    """The points (n, 2) at which crumbs are pushed, and the width of the narrowest zone."""
    poses = [sweep.now.poses[base] for base in sweep.bases]
    widths = [min(sweep.spec.items[base].asset.size[:2]) for base in sweep.bases]
    return np.array([(pose.x, pose.y) for pose in poses]), min(widths)


def _some(crumbs: Array) -> Array:
    """At most `_MOST` of crumbs (k, 2), spread over them from left to right."""
    if len(crumbs) <= _MOST:
        return crumbs
    order = np.lexsort(crumbs.T)
    return np.asarray(crumbs[order[np.linspace(0, len(crumbs) - 1, _MOST).astype(int)]])


def _toward(
    crumbs: Array, aims: Array, width: float, across: Sequence[float] = (0.0,)
) -> list[Push]:
    """Pushes from behind each crumb (k, 2) to a point, or to at most `width` before it.

    `across` are the distances from the blade's middle at which it meets the crumb, metres.
    """
    pushes = []
    for crumb, aim, side in itertools.product(crumbs, aims, across):
        toward = (aim - crumb) / max(1e-9, float(np.linalg.norm(aim - crumb)))
        shift = side * np.array([-toward[1], toward[0]])
        for behind, short in itertools.product((0.02, 0.05, 0.1), _SHORT if width else (0.0,)):
            start, end = crumb - toward * behind, aim - toward * short * width
            pushes.append((clipped(start + shift), end + shift))
    return pushes


def _sideways(sweep: _Sweep, crumbs: Array) -> list[Push]:
    """Short pushes of each crumb (k, 2) in every direction, with the blade's middle and its ends.

    The ends reach crumbs along a wall, in the direction of the wall.
    """
    pushes = []
    around = np.arange(16) * math.tau / 16
    for crumb in crumbs:
        angles = [*around, *_along_walls(sweep.walls, crumb)]
        for angle, across in itertools.product(angles, (0.0, -_END, _END)):
            toward = np.array([math.cos(angle), math.sin(angle)])
            middle = crumb + across * np.array([-toward[1], toward[0]])
            for ahead in (0.03, 0.06, 0.1, 0.15):
                pushes.append((clipped(middle - toward * 0.016), clipped(middle + toward * ahead)))
    return pushes


def _along_walls(walls: shapely.Geometry, crumb: Array) -> list[float]:
    """Directions of the edges of walls near a crumb (2,), both ways, radians."""
    near = shapely.intersection(shapely.boundary(walls), shapely.Point(crumb).buffer(_FREE))
    lines = [part for part in shapely.get_parts(near) if isinstance(part, shapely.LineString)]
    angles = set()
    for line in lines:
        for (ax, ay), (bx, by) in itertools.pairwise(line.coords):
            angles.add(round(math.atan2(by - ay, bx - ax), 3))
    longest = sorted(angles)[:6]
    return [angle + turn for angle in longest for turn in (0.0, math.pi)]


def _possible(sweep: _Sweep, pushes: Sequence[Push]) -> Array:
    """The pushes (P, 2, 2) whose blade hits no wall and comes down on no crumb."""
    found = np.array(pushes).reshape(-1, 2, 2)
    found = found[np.linalg.norm(found[:, 1] - found[:, 0], axis=1) > 0.005]
    found = found[~_lands(sweep.loose, found)]
    return np.asarray(found[~_blocked(found, sweep.walls)])


def _blocked(pushes: Array, walls: shapely.Geometry) -> Mask:
    """Which pushes (P, 2, 2) would bring the blade, with some clearance, into a wall."""
    start, end = pushes[:, 0], pushes[:, 1]
    ahead, side = _axes(pushes)
    thick = (BLADE_SIZE[0] / 2 + _ROOM) * ahead
    wide = (BLADE_SIZE[1] / 2 + _ROOM) * side
    corners = [
        start - thick - wide, start - thick + wide, end + thick + wide, end + thick - wide
    ]  # fmt: skip
    shapely.prepare(walls)
    return np.asarray(shapely.intersects(walls, shapely.polygons(np.stack(corners, axis=1))))


def _axes(pushes: Array) -> tuple[Array, Array]:
    """Unit vectors (P, 2) ahead and to the left of pushes (P, 2, 2)."""
    path = pushes[:, 1] - pushes[:, 0]
    ahead = path / np.maximum(1e-9, np.linalg.norm(path, axis=1, keepdims=True))
    return ahead, np.stack([-ahead[:, 1], ahead[:, 0]], axis=1)


def _detour(start: Array, end: Array, walls: shapely.Geometry) -> Array | None:
    """None if the blade can go straight, else the corner (2,) of the shortest way round."""
    if not _blocked(np.array([[start, end]]), walls)[0]:
        return None
    (x0, x1), (y0, y1) = WORKSPACE
    grid = itertools.product(np.arange(x0 + 0.06, x1 - 0.05, 0.04), np.arange(y0, y1, 0.04))
    corners = np.array(list(grid))
    there = np.stack([np.broadcast_to(start, corners.shape), corners], axis=1)
    onward = np.stack([corners, np.broadcast_to(end, corners.shape)], axis=1)
    ways = corners[~(_blocked(there, walls) | _blocked(onward, walls))]
    if not len(ways):
        return None
    lengths = np.linalg.norm(ways - start, axis=1) + np.linalg.norm(end - ways, axis=1)
    return np.asarray(ways[lengths.argmin()])


def _lands(crumbs: Array, pushes: Array) -> Mask:
    """Which pushes (P, 2, 2) begin with the blade coming down on a crumb or bead (k, 3)."""
    ahead, side = _axes(pushes)
    offset = crumbs[None, :, :2] - pushes[:, :1]
    along = np.einsum("pkd,pd->pk", offset, ahead)
    across = np.einsum("pkd,pd->pk", offset, side)
    near = (np.abs(along) < 0.014) & (np.abs(across) < BLADE_SIZE[1] / 2 + 0.008)
    return np.asarray(near.any(axis=1))


def _good(sweep: _Sweep, pushes: Array, worth: Callable[[Array, Array], Array]) -> Array | None:
    """The actions (k, 6) of the best of pushes (P, 2, 2), if one is better than none.

    Args:
        sweep: the goal.
        pushes: to choose from.
        worth: of states, see `_Sweep.worth`.
    """
    if not len(pushes):
        return None
    gains = _values(sweep, pushes, worth) - worth(sweep.own[None], sweep.foreign[None])[0]
    order = np.argsort(-gains, kind="stable")[:_LISTED]
    most = gains[order[0]]
    if most <= _GAIN:
        return None
    return np.array([_action(pushes[k]) for k in order if gains[k] >= _GOOD * most])


def _values(sweep: _Sweep, pushes: Array, worth: Callable[[Array, Array], Array]) -> Array:
    """How good the states (P,) are to which pushes (P, 2, 2) lead."""
    count = len(sweep.own)
    moved = _pushed(np.concatenate([sweep.own, sweep.foreign]), pushes)
    return worth(moved[:, :count], moved[:, count:])


def _action(push: Array) -> Array:
    """The action (6,) of a push (2, 2)."""
    (a, b), (c, d) = push
    return np.array([a, b, 0.0, c, d, 0.0])


def _pushed(crumbs: Array, pushes: Array) -> Array:
    """Crumbs (k, 3) after each of the pushes (P, 2, 2), if each moved only straight ahead.

    In each lane of a crumb's width the blade pushes the first crumb, which pushes the next, and so
    on.

    Returns:
        Their positions, (P, k, 3).
    """
    ahead, side = _axes(pushes)
    offset = crumbs[None, :, :2] - pushes[:, :1]
    along = np.einsum("pkd,pd->pk", offset, ahead)
    across = np.einsum("pkd,pd->pk", offset, side)
    swept = (np.abs(across) < (BLADE_SIZE[1] + Pile.CRUMB) / 2) & (along > 0)
    # Those that are not swept have a lane each, in which nothing pushes.
    rows, index = np.indices(along.shape)
    lanes = np.where(swept, np.floor(across / _LANE).astype(int), 1000 + index)
    order = np.lexsort((along, lanes))
    lanes, sorted_along = lanes[rows, order], along[rows, order]
    first = np.ones(lanes.shape, bool)
    first[:, 1:] = lanes[:, 1:] != lanes[:, :-1]
    steps = (index - np.maximum.accumulate(np.where(first, index, 0), axis=1)) * _LANE
    length = np.linalg.norm(pushes[:, 1] - pushes[:, 0], axis=1, keepdims=True)
    face = length + BLADE_SIZE[0] / 2 + Pile.CRUMB / 2
    reached = np.where(swept[rows, order], np.maximum(sorted_along - steps, face), sorted_along)
    # The largest so far in each lane: a lane's offset keeps earlier lanes out.
    apart = 10.0 * np.cumsum(first, axis=1)
    after = np.empty_like(along)
    after[rows, order] = np.maximum.accumulate(reached + apart, axis=1) - apart + steps
    moved = np.broadcast_to(crumbs, (len(pushes), *crumbs.shape)).copy()
    moved[..., :2] += (after - along)[..., None] * ahead[:, None]
    return moved
