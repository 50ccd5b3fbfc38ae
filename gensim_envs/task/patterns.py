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
    best: tuple[int, float, Motion | None] = (1, 0.0, None)
    for mirrored in (False, True)[: 1 + pattern.mirror]:
        for motion in _suggestions(slots, mirrored, now):
            refined = _refine(slots, motion, now, pattern.anchor)
            for candidate in (motion, refined):
                count, error = _quality(slots, candidate, now)
                if pattern.anchor is not None and not fits(slots[0], candidate, now):
                    continue
                better = count > 1 and (count, -error) > (best[0], -best[1])
                if better and allowed(candidate):
                    best = count, error, candidate
    return best[2]


def _suggestions(slots: Sequence[Slot], mirrored: bool, now: Snapshot) -> list[Motion]:
    """Motions that bring two items to two slots, those that fit most slots first."""
    flip = np.array((1.0, -1.0 if mirrored else 1.0))
    places = np.array([(slot.pose.x, slot.pose.y) for slot in slots]) * flip
    items = sorted({item for slot in slots for item in slot.items if now.has(item)})
    points = np.array([(now.poses[k].x, now.poses[k].y) for k in items]).reshape(-1, 2)
    allowed = np.zeros((len(slots), len(items)), bool)
    for (n, slot), (row, item) in itertools.product(enumerate(slots), enumerate(items)):
        level = abs(now.poses[item].z - slot.pose.z) <= HEIGHT_TOLERANCE
        allowed[n, row] = item in slot.items and level
    tolerance = np.array([slot.tolerance for slot in slots])
    found: list[tuple[int, float, float, float, float]] = []
    for a, b in itertools.combinations(range(len(slots)), 2):
        gap = places[b] - places[a]
        length = float(np.linalg.norm(gap))
        between = points[None, :] - points[:, None]  # [i, j] from item i to item j
        near = np.abs(np.linalg.norm(between, axis=-1) - length) <= tolerance[a] + tolerance[b]
        for i, j in np.argwhere(near & allowed[a][:, None] & allowed[b][None, :]):
            if i == j:
                continue
            for yaw in _turns(slots[a], items[i], gap, between[i, j], mirrored, now):
                c, s = math.cos(yaw), math.sin(yaw)
                turn = np.array([[c, s], [-s, c]])
                shift = (points[i] + points[j]) / 2 - (places[a] + places[b]) / 2 @ turn
                moved = places @ turn + shift
                away = np.linalg.norm(moved[:, None] - points[None, :], axis=-1)
                away = np.where(allowed, away, np.inf).min(axis=1)
                hits = away <= 2 * tolerance
                quality = -int(hits.sum()), float(away[hits].sum())
                found.append((*quality, float(shift[0]), float(shift[1]), yaw))
    found.sort()
    return [Motion(Pose(x, y, 0.0, yaw), mirrored) for _, _, x, y, yaw in found[:_KEPT]]


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


def _refine(slots: Sequence[Slot], motion: Motion, now: Snapshot, anchor: int | None) -> Motion:
    """The motion that fits the items which lie about where a motion puts their slots.

    Least squares, then weighted so that the largest distance falls (Lawson 1961).
    """
    pairs: list[tuple[float, ...]] = []
    flip = -1.0 if motion.mirrored else 1.0
    for slot in slots:
        want = motion(slot.pose)
        there = [
            k for k in slot.items
            if now.has(k) and abs(now.poses[k].z - want.z) <= HEIGHT_TOLERANCE
        ]  # fmt: skip
        if not there:
            continue
        have = min((now.poses[k] for k in there), key=want.distance)
        if have.distance(want) <= 2 * slot.tolerance:
            pairs.append((slot.pose.x, slot.pose.y * flip, have.x, have.y, slot.tolerance))
    if len(pairs) < 2:
        return motion
    table = np.array(pairs)
    source, target, tolerance = table[:, :2], table[:, 2:4], table[:, 4]
    best, least = motion, math.inf
    weights = np.ones(len(pairs))
    for _ in range(_ROUNDS):
        pose, moved = _align(source, target, weights, anchor is not None)
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
    a, b = (np.average(side, axis=0, weights=weights) for side in (source, target))
    if first:
        a, b = source[0], target[0]
    u, v = source - a, target - b
    sine = float((weights * (u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0])).sum())
    yaw = math.atan2(sine, float((weights[:, None] * u * v).sum()))
    c, s = math.cos(yaw), math.sin(yaw)
    turn = np.array([[c, s], [-s, c]])
    x, y = b - a @ turn
    return Pose(float(x), float(y), 0.0, yaw), source @ turn + (x, y)


def _quality(slots: Sequence[Slot], motion: Motion, now: Snapshot) -> tuple[int, float]:
    """Number of slots that are filled, each by an item of its own, and the sum of distances."""
    used: set[int] = set()
    error = 0.0
    for slot in slots:
        there = [k for k in fits(slot, motion, now) if k not in used]
        if there:
            want = motion(slot.pose)
            item = min(there, key=lambda k: now.poses[k].distance(want))
            used.add(item)
            error += now.poses[item].distance(want)
    return len(used), error
