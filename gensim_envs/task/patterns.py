"""Patterns: places that are known up to a common shift, rotation and mirror image."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from gensim_envs.task.geometry import Array
from gensim_envs.task.goals import HEIGHT_TOLERANCE, TILT_TOLERANCE, Snapshot
from gensim_envs.task.pose import Pose, wrap
from gensim_envs.utils.decode import Range

_KEPT = 20
"""Candidates that are refined, of the many that a pair of items suggests."""
_ROUNDS = 20
"""Steps of refinement."""
_Pairs = tuple[tuple[float, float, float, float, float], ...]
"""Slots and items that belong together: x and y of the slot, x and y of the item, tolerance."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A frame that may be anywhere on the table.

    Attributes:
        anchor: index of the item in whose middle its origin is; None for a free one.
        mirror: whether the mirror image is as good.
    """

    anchor: Annotated[int | None, Range(0, 59)] = None
    mirror: bool = True


@dataclass(frozen=True, slots=True)
class Slot:
    """A place of a pattern, and who may take it.

    Attributes:
        pose: in the pattern's frame.
        items: indices of the items that may take it, each with its yaw period, radians, or None
            where its heading does not count.
        tolerance: metres in the plane.
        yaw_tolerance: radians.
    """

    pose: Pose
    items: Mapping[int, float | None]
    tolerance: float
    yaw_tolerance: float


@dataclass(frozen=True, slots=True)
class Motion:
    """Where a pattern is.

    Attributes:
        pose: of its origin in the world.
        mirrored: whether its y axis is flipped first.
    """

    pose: Pose
    mirrored: bool = False

    def __call__(self, place: Pose) -> Pose:
        """A pose in the world, given one in the pattern's frame."""
        if self.mirrored:
            place = Pose(place.x, -place.y, place.z, -place.yaw)
        return self.pose @ place


def fits(slot: Slot, motion: Motion, now: Snapshot) -> list[int]:
    """The items that are in place at a slot, given where the pattern is."""
    want = motion(slot.pose)
    found = []
    for item, period in slot.items.items():
        have = now.poses[item]
        turn = 0.0 if period is None else wrap(have.yaw - want.yaw, period)
        if (
            have.distance(want) <= slot.tolerance
            and abs(have.z - want.z) <= HEIGHT_TOLERANCE
            and now.tilts[item] <= TILT_TOLERANCE
            and abs(turn) <= slot.yaw_tolerance
        ):
            found.append(item)
    return found


def locate(
    pattern: Pattern,
    slots: Sequence[Slot],
    now: Snapshot,
    allowed: Callable[[Motion], bool] = lambda motion: True,
) -> Motion | None:
    """Find where a pattern fits the most items.

    Each pair of items at a pair of slots of nearly their distance suggests a motion; the best ones
    are refined.

    Args:
        pattern: what is known of its frame.
        slots: its places.
        now: the state.
        allowed: whether a motion is considered.

    Returns:
        The motion; None where fewer than two items, the anchor counted, fit together.
    """
    if pattern.anchor is not None:
        anchor = Slot(Pose(0.0, 0.0), {pattern.anchor: None}, 1e-3, math.pi)
        slots = [anchor, *slots]
    upright = [_takers(slot, now, TILT_TOLERANCE) for slot in slots]
    best: tuple[int, float, Motion | None] = (1, 0.0, None)
    for mirrored in (False, True)[: 1 + pattern.mirror]:
        refined = set()
        for motion, pairs, least in _suggestions(slots, mirrored, now):
            # It fills no more slots than these, at no smaller distances.
            candidates = [motion] if (len(pairs), -least) > (best[0], -best[1]) else []
            if len(pairs) > 1 and pairs not in refined:
                refined.add(pairs)
                candidates.append(_refine(pairs, motion, pattern.anchor is not None))
            for candidate in candidates:
                count, error = _quality(slots, upright, candidate)
                if count < 2 or (count, -error) <= (best[0], -best[1]):
                    continue
                if pattern.anchor is not None and not fits(slots[0], candidate, now):
                    continue
                if allowed(candidate):
                    best = count, error, candidate
    return best[2]


def _takers(slot: Slot, now: Snapshot, tilt: float) -> dict[int, Pose]:
    """The items, with their poses, that may take a slot, are as high and lean no more than this."""
    return {
        item: now.poses[item]
        for item in slot.items
        if now.has(item)
        and abs(now.poses[item].z - slot.pose.z) <= HEIGHT_TOLERANCE
        and now.tilts[item] <= tilt
    }


def _suggestions(
    slots: Sequence[Slot], mirrored: bool, now: Snapshot
) -> list[tuple[Motion, _Pairs, float]]:
    """Motions that bring two items to two slots, those that fit most slots first.

    Returns:
        For each (the motion, the slots that have an item about where it puts them, each with its
        nearest item, and the sum of their distances).
    """
    flip = np.array((1.0, -1.0 if mirrored else 1.0))
    places = np.array([(slot.pose.x, slot.pose.y) for slot in slots]) * flip
    items = sorted({item for slot in slots for item in slot.items if now.has(item)})
    points = np.array([(now.poses[k].x, now.poses[k].y) for k in items]).reshape(-1, 2)
    allowed = np.zeros((len(slots), len(items)), bool)
    for (n, slot), (row, item) in itertools.product(enumerate(slots), enumerate(items)):
        level = abs(now.poses[item].z - slot.pose.z) <= HEIGHT_TOLERANCE
        allowed[n, row] = item in slot.items and level
    tolerance = np.array([slot.tolerance for slot in slots])
    between = points[None, :] - points[:, None]  # [i, j] from item i to item j
    gaps = places[None, :] - places[:, None]  # likewise from slot to slot
    misfit = np.linalg.norm(between, axis=-1) - np.linalg.norm(gaps, axis=-1)[..., None, None]
    near = np.abs(misfit) <= (tolerance + tolerance[:, None])[..., None, None]
    near &= allowed[:, None, :, None] & allowed[None, :, None, :] & ~np.eye(len(items), dtype=bool)
    near &= np.triu(np.ones(near.shape[:2], bool), 1)[..., None, None]
    chosen = np.argwhere(near)  # (k, 4): two slots, and an item for each
    if not len(chosen):
        return []
    yaws, rows = [], []
    for row, (a, b, i, j) in enumerate(chosen.tolist()):
        some = _turns(slots[a], items[i], gaps[a, b], between[i, j], mirrored, now)
        yaws += some
        rows += [row] * len(some)
    a, b, i, j = chosen[rows].T
    c, s = np.array([(math.cos(yaw), math.sin(yaw)) for yaw in yaws]).T
    turns = np.stack([np.stack([c, s], axis=-1), np.stack([-s, c], axis=-1)], axis=1)
    middles = (places[a] + places[b]) / 2
    shifts = (points[i] + points[j]) / 2 - (middles[:, None] @ turns)[:, 0]
    moved = places @ turns + shifts[:, None]
    gone = np.linalg.norm(moved[:, :, None] - points, axis=-1)  # (motions, slots, items)
    gone = np.where(allowed, gone, np.inf)
    away, nearest = gone.min(axis=2), gone.argmin(axis=2)
    hits = away <= 2 * tolerance
    error = np.where(hits, away, 0.0).sum(axis=1)
    order = np.lexsort((yaws, shifts[:, 1], shifts[:, 0], error, -hits.sum(axis=1)))[:_KEPT]
    best = []
    for number in order.tolist():
        hit, (x, y) = hits[number], shifts[number].tolist()
        table = np.c_[places[hit], points[nearest[number, hit]], tolerance[hit]]
        pairs = tuple(map(tuple, table.tolist()))
        motion = Motion(Pose(x, y, 0.0, yaws[number]), mirrored)
        best.append((motion, pairs, float(away[number, hit].sum())))
    return best


def _turns(
    slot: Slot, item: int, gap: Array, between: Array, mirrored: bool, now: Snapshot
) -> list[float]:
    """Rotations that two items at two slots suggest, radians: by their places, by their heading.

    Args:
        slot: the first slot.
        item: the item at it.
        gap: (2,) from the first slot to the second one.
        between: (2,) from the first item to the second one.
        mirrored: whether the pattern is.
        now: the state.
    """
    apart = float(np.linalg.norm(gap)) > 1e-6
    yaw = math.atan2(between[1], between[0]) - math.atan2(gap[1], gap[0]) if apart else 0.0
    period = slot.items[item]
    if period is None:
        return [yaw]
    own = now.poses[item].yaw - slot.pose.yaw * (-1 if mirrored else 1)
    heading = yaw + wrap(own - yaw, period)
    return [yaw, heading] if apart else [heading]


def _refine(pairs: _Pairs, motion: Motion, anchored: bool) -> Motion:
    """The motion that fits the items which lie about where a motion puts their slots.

    Least squares, then weighted so that the largest distance falls (Lawson 1961).

    Args:
        pairs: slots and items, at least two.
        motion: where the pattern is, about.
        anchored: whether the first slot is brought onto its item.
    """
    table = np.array(pairs)
    source, target, tolerance = table[:, :2], table[:, 2:4], table[:, 4]
    best, least = motion, math.inf
    weights = np.ones(len(pairs))
    for _ in range(_ROUNDS):
        pose, moved = _align(source, target, weights, anchored)
        error = np.linalg.norm(moved - target, axis=1) / tolerance
        if error.max() < least:
            best, least = Motion(pose, motion.mirrored), float(error.max())
        if least <= 1:
            break
        weights = weights * error / (weights * error).sum()
    return best


def _align(source: Array, target: Array, weights: Array, first: bool) -> tuple[Pose, Array]:
    """The shift and rotation of points by weighted least squares (Kabsch 1976).

    Args:
        source: (n, 2).
        target: (n, 2).
        weights: (n,).
        first: whether the first point is brought onto its target.

    Returns:
        (the motion, the moved points).
    """
    column = weights[:, None]
    if first:
        a, b = source[0], target[0]
    else:
        a, b = ((side * column).sum(axis=0) / column.sum() for side in (source, target))
    u, v = source - a, target - b
    sine = float((weights * (u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0])).sum())
    yaw = math.atan2(sine, float((column * u * v).sum()))
    c, s = math.cos(yaw), math.sin(yaw)
    turn = np.array([[c, s], [-s, c]])
    x, y = b - a @ turn
    return Pose(float(x), float(y), 0.0, yaw), source @ turn + (x, y)


def _quality(
    slots: Sequence[Slot], takers: Sequence[Mapping[int, Pose]], motion: Motion
) -> tuple[int, float]:
    """Number of slots that are filled, each by an item of its own, and the sum of distances."""
    used: set[int] = set()
    error = 0.0
    for slot, poses in zip(slots, takers, strict=True):
        want = motion(slot.pose)
        nearest, taker = slot.tolerance, None
        for item, have in poses.items():
            away = have.distance(want)
            if item in used or away > nearest or (away == nearest and taker is not None):
                continue
            period = slot.items[item]
            if period is None or abs(wrap(have.yaw - want.yaw, period)) <= slot.yaw_tolerance:
                nearest, taker = away, item
        if taker is not None:
            used.add(taker)
            error += nearest
    return len(used), error
