"""Choose where the oracle puts an item whose goal leaves the exact pose open."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import shapely
from numpy.typing import NDArray

from gensim_envs.task.arrangements import ring
from gensim_envs.task.assets import Zone
from gensim_envs.task.geometry import TABLE, Array, footprint, transform
from gensim_envs.task.goals import DIRECTIONS, TILT_TOLERANCE, Goal, Place, Snapshot
from gensim_envs.task.pose import Pose
from gensim_envs.task.relations import (
    corners_of,
    frame_of,
    is_met,
    movable,
    outline,
    outlines,
    span,
    target_of,
)
from gensim_envs.task.sites import find_site
from gensim_envs.task.spec import TaskSpec

_GAP = 0.004  # metres between things that are put side by side into a container
_BESIDE = 0.012  # metres between things on the table
_SAFE = 0.004  # metres from an edge at least, for the middle of what stands there
_STEP = 0.005  # metres between spots that are tried on or in something


def spot(spec: TaskSpec, goal: Goal, place: Place, item: int, now: Snapshot) -> Pose | None:
    """A pose at which an item fulfils its goal at a place; None where there is no room.

    Not for places in the frame of a pattern, and not for `around` and `row`.
    """
    return next(spots(spec, goal, place, item, now))


def spots(
    spec: TaskSpec, goal: Goal, place: Place, item: int, now: Snapshot
) -> Iterator[Pose | None]:
    """The pose of `spot`, and others that are as good: on every side of a thing for `next to`."""
    if goal.relation == "at":
        yield target_of(spec, goal, place, now)
        return
    if goal.relation == "inside":
        exact = now.poses[place.bases[0]] @ place.pose if place.exact else None
        yield exact or _packed(spec, goal, place, item, now)
        return

    def is_right(pose: Pose) -> bool:
        there = moved(spec, now, item, pose, place.bases)
        return is_free(spec, item, pose, now, but=place.bases) and is_met(
            spec, goal, place, item, there
        )

    if goal.relation == "on":
        poses = _on(spec, goal, place, item, now)
    else:
        poses = _beside(spec, goal, place, item, now)
    first = next(filter(is_right, poses), None)
    if first is None and goal.relation == "on" and not goal.shared:
        first = target_of(spec, goal, place, now)  # what is in the way is moved aside
    yield first
    if first is not None and goal.relation == "next to":
        for side in _sides(spec, place, item, now):
            pose = next(filter(is_right, side), None)
            if pose is not None and pose != first:
                yield pose


def lies(now: Snapshot, item: int) -> bool:
    """Whether an item lies on its side, or leans."""
    return now.tilts[item] > TILT_TOLERANCE and item in now.hulls


def moved(
    spec: TaskSpec, now: Snapshot, item: int, pose: Pose, bases: Iterable[int] = ()
) -> Snapshot:
    """The state with an item at a pose, in contact with its bases; one that lies stays so."""
    poses, rotations, hulls = list(now.poses), dict(now.rotations), dict(now.hulls)
    contacts = {pair: z for pair, z in now.contacts.items() if item not in pair}
    contacts |= {(min(item, base), max(item, base)): pose.z for base in bases}
    if lies(now, item):
        here, low = poses[item], span(spec, item, now)[0]
        c, s = math.cos(pose.yaw - here.yaw), math.sin(pose.yaw - here.yaw)
        turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
        rotations[item] = turn @ rotations[item]
        hulls[item] = (hulls[item] - (here.x, here.y, low)) @ turn.T + (pose.x, pose.y, pose.z)
        pose = pose.up(here.z - low)
        tilts = now.tilts
    else:
        rotations.pop(item, None)
        hulls.pop(item, None)
        tilts = tuple(0.0 if k == item else tilt for k, tilt in enumerate(now.tilts))
    poses[item] = pose
    return replace(
        now, poses=tuple(poses), tilts=tilts, contacts=contacts, rotations=rotations, hulls=hulls
    )


def corners_at(spec: TaskSpec, item: int, turn: float, now: Snapshot) -> Array:
    """Corners (n, 2) of an item's outline around its middle, at a yaw; as it lies, if it does."""
    if not lies(now, item):
        return transform(spec.geometry(item).outline, Pose(0, 0, 0, turn))
    here = now.poses[item]
    flat = corners_of(outline(spec, item, now)) - (here.x, here.y)
    return transform(flat, Pose(0, 0, 0, turn - here.yaw))


def is_free(spec: TaskSpec, item: int, pose: Pose, now: Snapshot, but: Collection[int]) -> bool:
    """Whether an item fits at a pose: on the table, and clear of everything at its height."""
    shape = footprint(corners_at(spec, item, pose.yaw, now), Pose(pose.x, pose.y))
    if not TABLE.contains(shape):
        return False
    bottom, top = span(spec, item, now)
    low, high = pose.z + 0.002, pose.z + top - bottom
    for k in range(len(spec.items)):
        if k == item or k in but or not now.has(k) or spec.geometry(k).flat:
            continue
        if k in now.bodies:
            near = shapely.MultiPoint(now.bodies[k][:, :2]).distance(shape) < _GAP + 0.006
            if near and low < 0.02:
                return False
            continue
        bottom, top = span(spec, k, now)
        opening = spec.items[k].asset.opening
        if opening is not None and now.tilts[k] <= TILT_TOLERANCE:
            within = footprint(corners_of(opening), now.poses[k]).contains(shape)
            if within:
                continue  # between its walls
        if min(top, high) > max(bottom, low) and outline(spec, k, now).distance(shape) < _GAP:
            return False
    return True


def _on(spec: TaskSpec, goal: Goal, place: Place, item: int, now: Snapshot) -> Iterator[Pose]:
    """Poses on the top of a base: its middle, or that of the part, then spots around it."""
    target = target_of(spec, goal, place, now)
    if place.exact or len(place.bases) > 1:
        yield target
        if not place.heading:
            yield target.turned(math.pi / 2)
        return
    base = place.bases[0]
    x, y, _ = spec.items[base].asset.size
    frame = Pose(target.x, target.y, target.z, now.poses[base].yaw)
    turn = target.yaw - frame.yaw
    middle = (0.0, 0.0)
    if place.part in ("end", "first end", "second end"):
        axis = 0 if x >= y else 1
        length = float(np.ptp(corners_at(spec, item, turn, now)[:, axis]))
        away = (max(x, y) - length) / 2 * (-1 if place.part != "second end" else 1)
        middle = (away, 0.0) if axis == 0 else (0.0, away)
    spots = itertools.product(
        np.arange(-x / 2, x / 2 + 1e-9, _STEP), np.arange(-y / 2, y / 2 + 1e-9, _STEP)
    )
    yield frame @ Pose(*middle, 0.0, turn)
    for dx, dy in sorted(spots, key=lambda xy: (math.dist(xy, middle), xy)):
        if abs(dx) > x / 2 - _SAFE or abs(dy) > y / 2 - _SAFE:
            continue  # it would tip over the edge
        yield frame @ Pose(float(dx), float(dy), 0.0, turn)


def _beside(spec: TaskSpec, goal: Goal, place: Place, item: int, now: Snapshot) -> Iterator[Pose]:
    """Poses in a region beside other things, the clearest ones first."""
    first = now.poses[place.bases[0]]
    if goal.relation == "between":
        yaw = first.yaw + place.pose.yaw if place.heading else now.poses[item].yaw
        a, b = (now.poses[k] for k in place.bases)
        for share in (0.5, 0.45, 0.55, 0.4, 0.6, 0.36, 0.64):
            yield Pose(a.x + share * (b.x - a.x), a.y + share * (b.y - a.y), first.z, yaw)
        return
    if goal.relation == "next to":
        for ring_of in zip(*_sides(spec, place, item, now), strict=True):
            yield from ring_of
        return
    reach = _reach_of(spec, place, item)
    dx, dy = DIRECTIONS[goal.relation]
    ahead, turns = math.atan2(dy, dx), [math.radians(t) for t in (0, 10, -10, 20, -20, 30, -30)]
    distances = [d for d in (reach + _BESIDE, 0.12, 0.1, 0.13, 0.08, 0.06) if d < 0.145]
    for distance, turn in itertools.product(distances, turns):
        yield _away(place, item, now, distance, ahead + turn)


def _sides(spec: TaskSpec, place: Place, item: int, now: Snapshot) -> list[list[Pose]]:
    """Poses in 24 directions from a thing, from the farthest at which an item may be next to it."""
    reach = _reach_of(spec, place, item)
    distances = [reach + 0.015 - k * _STEP for k in range(1 + int(reach / _STEP))]
    angles = [k * math.pi / 12 for k in range(24)]
    return [[_away(place, item, now, d, angle) for d in distances] for angle in angles]


def _reach_of(spec: TaskSpec, place: Place, item: int) -> float:
    """From the middle of a base to that of an item which touches it corner to corner, metres."""
    radii = [math.hypot(*spec.items[k].asset.size[:2]) / 2 for k in (item, place.bases[0])]
    return sum(radii)


def _away(place: Place, item: int, now: Snapshot, distance: float, angle: float) -> Pose:
    """A pose at a distance from a base, in a direction."""
    first = now.poses[place.bases[0]]
    yaw = first.yaw + place.pose.yaw if place.heading else now.poses[item].yaw
    x, y = first.x + distance * math.cos(angle), first.y + distance * math.sin(angle)
    return Pose(x, y, first.z, yaw)


def group_targets(spec: TaskSpec, goal: Goal, now: Snapshot) -> list[tuple[int, Pose]]:
    """Poses for the items of an `around` or `row` goal that are not in place yet.

    Of the layouts that are free, the one that keeps most of what stands already.
    """
    layouts = _rings(spec, goal, now) if goal.relation == "around" else _rows(spec, goal, now)
    best: tuple[int, list[tuple[int, Pose]]] | None = None
    for layout in layouts:
        left = _unfilled(goal.items, layout, now)
        if best is not None and len(left) >= best[0]:
            continue
        stay = set(goal.items) - {item for item, _ in left}
        if all(is_free(spec, item, pose, now, but=set(goal.items) - stay) for item, pose in left):
            best = len(left), left
    return [] if best is None else best[1]


def _unfilled(
    items: Sequence[int], layout: Sequence[Pose], now: Snapshot
) -> list[tuple[int, Pose]]:
    """Pair items with the poses of a layout; those that stand at one stay there."""
    poses, waiting = list(layout), []
    for item in items:
        near = min(poses, key=now.poses[item].distance, default=None)
        level = abs(now.poses[item].z) < 0.01
        if near is not None and level and now.poses[item].distance(near) < 0.006:
            poses.remove(near)
        else:
            waiting.append(item)
    return list(zip(waiting, poses, strict=False))


def _rings(spec: TaskSpec, goal: Goal, now: Snapshot) -> Iterator[list[Pose]]:
    centre = goal.places[0].bases[0]
    middle, count = now.poses[centre], len(goal.items)
    size = max(math.hypot(*spec.items[k].asset.size[:2]) for k in goal.items)
    inner = (math.hypot(*spec.items[centre].asset.size[:2]) + size) / 2 + _BESIDE
    least = max(inner, (size + _BESIDE) / 2 / math.sin(math.pi / count))
    for away in np.arange(min(least, 0.14), 0.145, 0.01):
        for step in range(8):
            first = step * math.tau / count / 8
            poses = ring(Pose(middle.x, middle.y, 0.0, first), count, float(away))
            yield [replace(pose, yaw=0.0) for pose in poses]


def _rows(spec: TaskSpec, goal: Goal, now: Snapshot) -> Iterator[list[Pose]]:
    sizes = [math.hypot(*spec.items[k].asset.size[:2]) for k in goal.items]
    anchors = sorted(goal.bases)
    if not anchors:
        start = -(sum(sizes) + _BESIDE * (len(sizes) - 1)) / 2
        offsets = [start + sum(sizes[:k]) + size / 2 + k * _BESIDE for k, size in enumerate(sizes)]
        keep = [
            (now.poses[item], k, None)
            for k, item in enumerate(goal.items)
            if abs(now.poses[item].z) < 0.01
        ]
        places = [
            (Place(Pose(0.0, y)), spec.geometry(item).outline)
            for y, item in zip(offsets, goal.items, strict=True)
        ]
        site = find_site(places, outlines(spec, now, but=goal.items), keep=keep)
        if site is not None:
            yield [site(place.pose) for place, _ in places]
        return
    frame = frame_of(Place(bases=tuple(anchors)), now)
    turns = [frame.yaw, frame.yaw + math.pi / 2] if len(anchors) == 1 else [frame.yaw]
    for turn, before in itertools.product(turns, range(len(sizes) + 1)):
        poses = []
        for side, part in ((1, goal.items[before:]), (-1, goal.items[:before])):
            way = side * np.array((math.cos(turn), math.sin(turn)))
            away = max(
                _reach(outline(spec, k, now), way) - float(way @ (frame.x, frame.y))
                for k in anchors
            )
            for item in part:
                pose = now.poses[item]
                own = spec.footprint(item, Pose(0, 0, 0, pose.yaw))
                x, y = (frame.x, frame.y) + way * (away + _BESIDE + _reach(own, -way))
                poses.append(Pose(float(x), float(y), 0.0, pose.yaw))
                away += _BESIDE + _reach(own, -way) + _reach(own, way)
        yield poses


def _reach(shape: shapely.Polygon, way: NDArray[np.float64]) -> float:
    """How far a shape extends in a direction from the origin, metres."""
    return float((shapely.get_coordinates(shape) @ way).max())


def _packed(spec: TaskSpec, goal: Goal, place: Place, item: int, now: Snapshot) -> Pose | None:
    """A free pose in a bowl, container or zone: the middle for a single item, else packed."""
    base = place.bases[0]
    opening = spec.items[base].asset.opening
    assert opening is not None  # checked when the goal was declared
    inverse = now.poses[base].inverse()
    others = [
        footprint(
            corners_at(spec, k, (inverse @ now.poses[k]).yaw, now), _place_of(inverse, now, k)
        )
        for k in movable(spec, now)
        if k not in (item, base)
        and _near(spec, base, k, now)
        # An item that stands lower than the base holds it, as a tray does.
        and span(spec, k, now)[0] > now.poses[base].z - 0.001
    ]
    room = opening.buffer(-_GAP / 2)
    x0, y0, x1, y1 = room.bounds
    takers = sum(len(g.items) for g in spec.goals if base in g.bases)
    alone = takers == 1 or not goal.shared
    for yaw in (0.0, math.pi / 2):
        rotated = corners_at(spec, item, yaw, now)
        low, high = rotated.min(axis=0), rotated.max(axis=0)
        spots = itertools.product(
            _span(x0 - low[0], x1 - high[0]), _span(y0 - low[1], y1 - high[1])
        )
        for x, y in sorted(spots, key=lambda xy: math.hypot(*xy) if alone else xy[0]):
            shape = shapely.Polygon(rotated + (x, y))
            if room.contains(shape) and not any(o.distance(shape) < _GAP for o in others):
                return now.poses[base] @ Pose(float(x), float(y), 0.0, yaw)
    if isinstance(spec.items[base].asset, Zone):
        middle = now.poses[base]
        # What is as wide as its zone is judged by its middle.
        if is_free(spec, item, middle, now, but=(base,)) and is_met(
            spec, goal, place, item, moved(spec, now, item, middle)
        ):
            return middle
    return None


def _place_of(frame: Pose, now: Snapshot, item: int) -> Pose:
    """Where an item's middle is in a frame, without its yaw."""
    local = frame @ now.poses[item]
    return Pose(local.x, local.y)


def _near(spec: TaskSpec, base: int, item: int, now: Snapshot) -> bool:
    reach = sum(max(spec.items[k].asset.size[:2]) for k in (base, item))
    return now.poses[base].distance(now.poses[item]) < reach


def _span(low: float, high: float) -> Iterator[float]:
    """Values 5 mm apart from low to high, or only the middle where there is hardly any room."""
    if high < low:
        return
    count = max(1, round((high - low) / _STEP) + 1)
    yield from np.linspace(low, high, count) if count > 1 else [(low + high) / 2]
