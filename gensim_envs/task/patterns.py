"""Patterns: places that are known up to a common shift, rotation and mirror image."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gensim_envs.task.geometry import Array
from gensim_envs.task.goals import HEIGHT_TOLERANCE, TILT_TOLERANCE, Snapshot
from gensim_envs.task.pose import Pose, wrap
from gensim_envs.utils.decode import Range

_KEPT = 20
"""Candidates that are refined, of the many that a pair of items suggests."""
_ROUNDS = 20
"""Steps of refinement."""
_ROUNDING = 1e-9
"""Metres that are certainly more than rounding errors."""


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
    anchored = pattern.anchor is not None
    if pattern.anchor is not None:
        anchor = Slot(Pose(0.0, 0.0), {pattern.anchor: None}, 1e-3, math.pi)
        slots = [anchor, *slots]
    takers = [_takers(slot, now) for slot in slots]
    search = _Search(slots, now)
    best: tuple[int, float, Motion | None] = (1, 0.0, None)
    for mirrored in (False, True)[: 1 + pattern.mirror]:
        refined = set()
        for suggestion in search.suggestions(mirrored):
            candidates = [suggestion.motion] if suggestion.may_beat(*best[:2]) else []
            if suggestion.hits > 1 and suggestion.items not in refined:
                refined.add(suggestion.items)
                pairs = search.pairs(suggestion.items, mirrored)
                if anchored or not suggestion.is_hopeless(*pairs[:2], *best[:2]):
                    candidates.append(Motion(_refine(*pairs, anchored), mirrored))
            for candidate in candidates:
                count, error = _quality(slots, takers, candidate, best[0])
                if count < 2 or (count, -error) <= (best[0], -best[1]):
                    continue
                if anchored and not fits(slots[0], candidate, now):
                    continue
                if allowed(candidate):
                    best = count, error, candidate
    return best[2]


def _takers(slot: Slot, now: Snapshot) -> list[tuple[int, Pose, float | None]]:
    """The upright items as high as a slot that may take it, each with its pose and yaw period."""
    return [
        (item, now.poses[item], period)
        for item, period in slot.items.items()
        if now.has(item) and _is_level(slot, now.poses[item]) and now.tilts[item] <= TILT_TOLERANCE
    ]


def _is_level(slot: Slot, pose: Pose) -> bool:
    """Whether an item is as high as a slot."""
    return abs(pose.z - slot.pose.z) <= HEIGHT_TOLERANCE


class _Suggestion(NamedTuple):
    """A motion that brings two items to two slots.

    Attributes:
        x: of the pattern's origin, metres.
        y: likewise.
        yaw: of the pattern, radians.
        mirrored: whether the pattern is mirrored first.
        items: for each slot a number of the item that is nearest, if it is about there; else -1.
        hits: number of slots that have an item about there.
        away: (hits,) their distances from these, metres.
    """

    x: float
    y: float
    yaw: float
    mirrored: bool
    items: tuple[int, ...]
    hits: int
    away: Array

    @property
    def motion(self) -> Motion:
        """Where the pattern is."""
        return Motion(Pose(self.x, self.y, 0.0, self.yaw), self.mirrored)

    def may_beat(self, count: int, error: float) -> bool:
        """Whether it may fill more slots, or as many at a smaller sum of distances.

        It fills no more slots than those that have an item about there, at no smaller distances.
        """
        return self.hits > count or (self.hits == count and float(self.away.sum()) < error)

    def is_hopeless(self, source: Array, target: Array, count: int, error: float) -> bool:
        """Whether it cannot be refined to fill more slots than `count`, or as many with less error.

        Two items on the line of their slots, equally far from them, are as near as they can be, and
        every other slot is beyond twice its tolerance from an item.

        Args:
            source: (hits, 2) slots that have an item about there.
            target: (hits, 2) these items.
            count: of slots that are filled.
            error: sum of distances, metres.
        """
        if self.hits != 2 or count < 2:
            return False
        misfit = abs(math.dist(*source.tolist()) - math.dist(*target.tolist()))
        least = float(self.away.max()) <= misfit / 2 + _ROUNDING
        return least and (count > 2 or misfit > error + _ROUNDING)


class _Search:
    """What the suggestions of a pattern and of its mirror image have in common.

    Args:
        slots: the places of the pattern.
        now: the state.
    """

    def __init__(self, slots: Sequence[Slot], now: Snapshot) -> None:
        self._slots = slots
        items = sorted({item for slot in slots for item in slot.items if now.has(item)})
        poses = [now.poses[item] for item in items]
        self._items = list(zip(items, poses, strict=True))
        self._points = np.array([(pose.x, pose.y) for pose in poses]).reshape(-1, 2)
        self._places = np.array([(slot.pose.x, slot.pose.y) for slot in slots])
        self._tolerance = np.array([slot.tolerance for slot in slots])
        allowed = [
            [item in slot.items and _is_level(slot, pose) for item, pose in self._items]
            for slot in slots
        ]
        self._allowed = np.array(allowed, bool)
        self._chosen = self._choose()
        _, _, i, j = self._chosen
        ways = (self._points[j] - self._points[i]).tolist()
        self._headings = [math.atan2(y, x) for x, y in ways]  # from the first to the second item

    def _choose(self) -> tuple[NDArray[np.intp], ...]:
        """Pairs of slots and of items at them, at nearly the same distance: four arrays (k,)."""
        first, second = _pairs(len(self._slots))
        between = self._points[None, :] - self._points[:, None]  # [i, j] from item i to item j
        gaps = self._places[second] - self._places[first]
        misfit = _lengths(between) - _lengths(gaps)[:, None, None]
        near = np.abs(misfit) <= (self._tolerance[first] + self._tolerance[second])[:, None, None]
        near &= self._allowed[first][:, :, None] & self._allowed[second][:, None, :]
        near &= ~np.eye(len(self._items), dtype=bool)
        pair, i, j = np.nonzero(near)
        return first[pair], second[pair], i, j

    def suggestions(self, mirrored: bool) -> Iterator[_Suggestion]:
        """Motions that bring two items to two slots, those that fit most slots first."""
        if not len(self._chosen[0]):
            return
        points, places = self._points, self._flipped(mirrored)
        yaws, rows = self._turns(places, mirrored)
        a, b, i, j = (column[rows] for column in self._chosen)
        c, s = np.array([(math.cos(yaw), math.sin(yaw)) for yaw in yaws]).T
        turns = np.stack([np.stack([c, s], axis=-1), np.stack([-s, c], axis=-1)], axis=1)
        middles = (places[a] + places[b]) / 2
        shifts = (points[i] + points[j]) / 2 - (middles[:, None] @ turns)[:, 0]
        moved = places @ turns + shifts[:, None]
        x, y = (moved[..., k] - points[:, k, None, None] for k in (0, 1))
        gone = np.sqrt(x * x + y * y)  # (items, motions, slots)
        gone = np.where(self._allowed.T[:, None], gone, np.inf)
        away = gone.min(axis=0)
        hits = away <= 2 * self._tolerance
        error = np.where(hits, away, 0.0).sum(axis=1)
        counts = hits.sum(axis=1)
        order = np.lexsort((yaws, shifts[:, 1], shifts[:, 0], error, -counts))[:_KEPT]
        nearest = np.where(hits[order], gone[:, order].argmin(axis=0), -1).tolist()
        for number, items in zip(order.tolist(), nearest, strict=True):
            x, y = shifts[number].tolist()
            yield _Suggestion(
                x, y, yaws[number], mirrored, tuple(items), int(counts[number]),
                away[number, hits[number]],
            )  # fmt: skip

    def pairs(self, items: Sequence[int], mirrored: bool) -> tuple[Array, Array, Array]:
        """Slots (n, 2), the items at them (n, 2), and the slots' tolerances (n,).

        Args:
            items: for each slot a number of the item there; -1 for none.
            mirrored: whether the pattern is mirrored first.
        """
        slots = [n for n, item in enumerate(items) if item >= 0]
        there = [item for item in items if item >= 0]
        return self._flipped(mirrored)[slots], self._points[there], self._tolerance[slots]

    def _flipped(self, mirrored: bool) -> Array:
        return self._places * (1.0, -1.0 if mirrored else 1.0)

    def _turns(self, places: Array, mirrored: bool) -> tuple[list[float], list[int]]:
        """Rotations that two items at two slots suggest: by their places, by their heading.

        Args:
            places: (slots, 2) of the slots, mirrored if the pattern is.
            mirrored: whether the pattern is.

        Returns:
            (yaws, radians, and for each the number of the two slots and items).
        """
        a, b, i, _ = self._chosen
        gaps = (places[b] - places[a]).tolist()
        yaws: list[float] = []
        rows: list[int] = []
        for row, (n, k, (x, y), heading) in enumerate(
            zip(a.tolist(), i.tolist(), gaps, self._headings, strict=True)
        ):
            apart = math.hypot(x, y) > 1e-6
            yaw = heading - math.atan2(y, x) if apart else 0.0
            slot, (item, pose) = self._slots[n], self._items[k]
            period = slot.items[item]
            if apart or period is None:
                yaws.append(yaw)
                rows.append(row)
            if period is not None:
                own = pose.yaw - slot.pose.yaw * (-1 if mirrored else 1)
                yaws.append(yaw + wrap(own - yaw, period))
                rows.append(row)
        return yaws, rows


@cache
def _pairs(count: int) -> NDArray[np.intp]:
    """All pairs of the numbers below `count`, (2, pairs)."""
    pairs = list(itertools.combinations(range(count), 2))
    return np.array(pairs, np.intp).reshape(-1, 2).T


def _lengths(vectors: Array) -> Array:
    """Lengths of vectors (..., 2): those of `np.linalg.norm`, but faster."""
    x, y = vectors[..., 0], vectors[..., 1]
    return np.asarray(np.sqrt(x * x + y * y))


def _refine(source: Array, target: Array, tolerance: Array, anchored: bool) -> Pose:
    """The motion that fits items at slots.

    Least squares, then weighted so that the largest distance falls (Lawson 1961).

    Args:
        source: (n, 2) slots, at least two.
        target: (n, 2) their items.
        tolerance: (n,) of the slots.
        anchored: whether the first slot is brought onto its item.
    """
    weights = np.ones(len(source))
    best, moved = _align(source, target, weights, anchored)
    error = _lengths(moved - target) / tolerance
    least = error.max()
    for _ in range(_ROUNDS - 1):
        if least <= 1:
            break
        weights = weights * error / (weights * error).sum()
        pose, moved = _align(source, target, weights, anchored)
        error = _lengths(moved - target) / tolerance
        if error.max() < least:
            best, least = pose, error.max()
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
        total = weights.sum()
        a, b = (source * column).sum(axis=0) / total, (target * column).sum(axis=0) / total
    u, v = source - a, target - b
    sine = float((weights * (u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0])).sum())
    yaw = math.atan2(sine, float((column * u * v).sum()))
    c, s = math.cos(yaw), math.sin(yaw)
    turn = np.array([[c, s], [-s, c]])
    shift = b - a @ turn
    x, y = shift.tolist()
    return Pose(x, y, 0.0, yaw), source @ turn + shift


def _quality(
    slots: Sequence[Slot],
    takers: Sequence[Sequence[tuple[int, Pose, float | None]]],
    motion: Motion,
    least: int,
) -> tuple[int, float]:
    """Number of slots that are filled, each by an item of its own, and the sum of distances.

    Where fewer than `least` can be filled, it stops counting.
    """
    used: set[int] = set()
    error = 0.0
    origin, sign = motion.pose, -1.0 if motion.mirrored else 1.0
    c, s = math.cos(origin.yaw), math.sin(origin.yaw)
    for left, slot, own in zip(range(len(slots), 0, -1), slots, takers, strict=True):
        if len(used) + left < least:
            break
        # As in `motion(slot.pose)`, in half of its time.
        x, y = slot.pose.x, sign * slot.pose.y
        x, y = origin.x + c * x - s * y, origin.y + s * x + c * y
        nearest, taker = slot.tolerance, None
        for item, have, period in own:
            away = math.hypot(have.x - x, have.y - y)
            if item in used or away > nearest or (away == nearest and taker is not None):
                continue
            yaw = origin.yaw + sign * slot.pose.yaw
            if period is None or abs(wrap(have.yaw - yaw, period)) <= slot.yaw_tolerance:
                nearest, taker = away, item
        if taker is not None:
            used.add(taker)
            error += nearest
    return len(used), error
