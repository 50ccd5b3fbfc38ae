"""The relations of goals: when they hold, the target poses, and the items that support others."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
import shapely
from numpy.typing import NDArray

from gensim_envs.task.assets import Asset, Rope, Zone
from gensim_envs.task.geometry import Array, footprint, transform
from gensim_envs.task.goals import (
    DIRECTIONS,
    EVENNESS,
    HEIGHT_TOLERANCE,
    NEIGHBOUR_GAP,
    REGION_ANGLE,
    REGION_REACH,
    ROPE_END,
    ROW_WIDTH,
    TILT_TOLERANCE,
    ZONE_MARGIN,
    ZONE_ROOM,
    Goal,
    Place,
    Snapshot,
)
from gensim_envs.task.pose import Pose, wrap
from gensim_envs.task.spec import TaskSpec

_OVERLAP = 1e-6
"""Square metres in the view from above by which one thing covers another, not only touches it."""
_HEAP = 0.05
"""Height in metres below which crumbs on one another lie on a zone: five layers."""
_RIM = 0.002
"""Metres below the top of a wall from which a contact is one with its rim."""
_AIR = 0.002
"""Metres between a rope's end and the thing that it ends on."""


def outline(spec: TaskSpec, item: int, now: Snapshot) -> shapely.Polygon:
    """The area that an item covers as it lies now; for one that lies or leans, of its hull."""
    if item not in now.hulls:
        return spec.footprint(item, now.poses[item])
    hull = shapely.convex_hull(shapely.MultiPoint(now.hulls[item][:, :2]))
    assert isinstance(hull, shapely.Polygon)
    return hull


def standing(spec: TaskSpec, now: Snapshot) -> list[int]:
    """The rigid items that are on the table."""
    return [k for k in range(len(spec.items)) if k not in now.bodies and now.has(k)]


def movable(spec: TaskSpec, now: Snapshot) -> list[int]:
    """The rigid items that are on the table and not part of it."""
    return [k for k in standing(spec, now) if not spec.items[k].fixed]


def outlines(
    spec: TaskSpec, now: Snapshot, but: Collection[int | None] = ()
) -> list[shapely.Geometry]:
    """The areas that rigid items cover, all `but` these."""
    return [outline(spec, k, now) for k in standing(spec, now) if k not in but]


def barriers(spec: TaskSpec, now: Snapshot) -> list[shapely.Geometry]:
    """The areas of the rigid items that stand up, which paint does not."""
    return [outline(spec, k, now) for k in standing(spec, now) if not spec.geometry(k).flat]


def span(spec: TaskSpec, item: int, now: Snapshot) -> tuple[float, float]:
    """Heights of an item's lowest and highest point as it lies now, metres."""
    if item in now.hulls:
        heights = now.hulls[item][:, 2]
        return float(heights.min()), float(heights.max())
    low = now.poses[item].z
    return low, low + spec.items[item].asset.height


def carriers(spec: TaskSpec, item: int, now: Snapshot) -> list[int]:
    """The rigid items on whose tops an item stands."""
    low = span(spec, item, now)[0]
    return [
        other
        for other in range(len(spec.items))
        if other not in (item, *now.bodies)
        and now.touch(item, other) is not None
        and abs(span(spec, other, now)[1] - low) <= HEIGHT_TOLERANCE
    ]


def frame_of(place: Place, now: Snapshot) -> Pose:
    """The frame in which a place's pose is given.

    Of several bases it is the middle of them, level with their highest underside, with its x axis
    along the longest extent of their middles.
    """
    if len(place.bases) < 2:
        return now.poses[place.bases[0]] if place.bases else Pose(0.0, 0.0)
    points = np.array([(now.poses[k].x, now.poses[k].y) for k in place.bases])
    middle = points.mean(axis=0)
    axis = np.linalg.svd(points - middle)[2][0]
    if axis @ (points[-1] - points[0]) < 0:
        axis = -axis
    low = max(now.poses[k].z for k in place.bases)
    return Pose(float(middle[0]), float(middle[1]), low, math.atan2(axis[1], axis[0]))


def target_of(spec: TaskSpec, goal: Goal, place: Place, now: Snapshot) -> Pose:
    """The world pose at which an item would be at, on or inside `place`, wherever the base is."""
    target = frame_of(place, now) @ place.pose
    if goal.relation == "on":
        top = max(span(spec, base, now)[1] for base in place.bases)
        return Pose(target.x, target.y, top + place.pose.z, target.yaw)
    return target


def period_of(spec: TaskSpec, place: Place, item: int) -> float:
    """Yaw period, radians, up to which an item's heading counts at a place; 0 for any heading."""
    own = spec.items[item].asset.symmetry
    shown = spec.items[place.bases[0]].asset.shown_period if place.bases else None
    return own if shown is None else min(own, shown)


def is_met(spec: TaskSpec, goal: Goal, place: Place, item: int, now: Snapshot) -> bool:
    """Whether one rigid item fulfils a relation to one place, which is in no pattern's frame."""
    if not now.has(item) or not all(map(now.has, place.bases)):
        return False
    if goal.relation == "inside":
        return is_inside(spec, place.bases[0], item, now)
    if goal.relation == "on":
        return _is_on(spec, goal, place, item, now)
    if goal.relation == "at":
        want, have = target_of(spec, goal, place, now), now.poses[item]
        return (
            have.distance(want) <= goal.position_tolerance
            and abs(have.z - want.z) <= HEIGHT_TOLERANCE
            and now.tilts[item] <= TILT_TOLERANCE
            and _is_heading(spec, goal, place, item, want, have)
        )
    return _is_beside(spec, goal, place, item, now)


def _is_heading(
    spec: TaskSpec, goal: Goal, place: Place, item: int, want: Pose, have: Pose
) -> bool:
    turn = wrap(have.yaw - want.yaw, period_of(spec, place, item))
    return not place.heading or abs(turn) <= goal.yaw_tolerance


def _is_on(spec: TaskSpec, goal: Goal, place: Place, item: int, now: Snapshot) -> bool:
    """Whether an item is carried by all bases of a place, with its middle over their tops."""
    if all(now.touch(item, base) is None for base in place.bases):
        return False
    low, have = span(spec, item, now)[0], now.poses[item]
    if any(abs(span(spec, k, now)[1] - low) > HEIGHT_TOLERANCE for k in place.bases):
        return False
    tops = [outline(spec, base, now) for base in place.bases]
    own = outline(spec, item, now)
    if not (
        all(top.intersects(own) for top in tops)
        and shapely.union_all(tops).convex_hull.contains(shapely.Point(have.x, have.y))
    ):
        return False
    if place.part and not _in_part(spec, place, own, have, now):
        return False
    if not (place.exact or place.heading):
        return True
    want = target_of(spec, goal, place, now)
    if place.exact and have.distance(want) > goal.position_tolerance:
        return False
    return _is_heading(spec, goal, place, item, want, have)


def _in_part(spec: TaskSpec, place: Place, own: shapely.Polygon, have: Pose, now: Snapshot) -> bool:
    """Whether an item is over a named part of a base: thirds of its length, or near its edge."""
    base = place.bases[0]
    if place.part == "edge":
        border = outline(spec, base, now).exterior
        return bool(own.distance(border) <= ROW_WIDTH)
    x, y, _ = spec.items[base].asset.size
    local = now.poses[base].inverse() @ have
    along, across = (local.x / x, local.y / y) if x >= y else (local.y / y, local.x / x)
    third = 1 / 6  # of the length, from the middle
    return {
        "middle": abs(along) <= third and abs(across) <= third,
        "end": abs(along) >= third,
        "first end": along <= -third,
        "second end": along >= third,
    }[place.part]


def is_inside(spec: TaskSpec, base: int, item: int, now: Snapshot) -> bool:
    """Whether a rigid item is inside a container, or on a zone."""
    holder = spec.items[base].asset
    if holder.opening is None or item == base:
        return False
    if isinstance(holder, Zone):
        return _is_in_zone(spec, base, item, now, frozenset())
    if now.tilts[base] > TILT_TOLERANCE:
        return False  # what an upturned bowl covers is under it
    have, floor = now.poses[item], now.poses[base]
    offset = floor.inverse() @ have
    if not shapely.contains_xy(holder.opening, offset.x, offset.y):
        return False
    rim, touch = floor.z + holder.height, now.touch(item, base)
    low, high = span(spec, item, now)
    leans = is_leaning(item, now)
    stands = not leans and high - low > holder.height and abs(low - floor.z) <= HEIGHT_TOLERANCE
    # The side of what is level and straight may touch a wall up to its rim.
    hangs = not stands and (leans or spec.items[item].asset.tumbles == "no")
    if hangs and touch is not None and touch > rim - _RIM:
        return False
    return low > floor.z - HEIGHT_TOLERANCE and (stands or (low + high) / 2 < rim)


def is_leaning(item: int, now: Snapshot) -> bool:
    """Whether none of an item's axes is vertical: it stands on no face and no end."""
    if now.tilts[item] <= TILT_TOLERANCE:
        return False
    upright = np.abs(now.rotations[item][2]).max() if item in now.rotations else 0.0
    return bool(upright < math.cos(TILT_TOLERANCE))


def _is_in_zone(spec: TaskSpec, base: int, item: int, now: Snapshot, seen: frozenset[int]) -> bool:
    """Whether an item is on a zone, or stands on something that is."""
    low = span(spec, item, now)[0]
    if abs(low - now.poses[base].z) > HEIGHT_TOLERANCE:
        return any(
            _is_in_zone(spec, base, other, now, seen | {item})
            for other in carriers(spec, item, now)
            if other not in seen | {base}
        )
    opening = spec.items[base].asset.opening
    assert opening is not None
    offset = now.poses[base].inverse() @ now.poses[item]
    if not _fits_whole(spec.items[base].asset, spec.items[item].asset):
        return bool(shapely.contains_xy(opening, offset.x, offset.y))
    area = footprint(corners_of(outline(spec, item, now)), now.poses[base].inverse())
    return bool(opening.buffer(ZONE_MARGIN).contains(area))


def corners_of(shape: shapely.Polygon) -> Array:
    """Corners (n, 2) of a polygon."""
    return np.array(shape.exterior.coords[:-1])


def _fits_whole(zone: Asset, item: Asset) -> bool:
    """Whether the circle around an item's footprint fits into a zone with room to spare."""
    radius = math.hypot(*item.size[:2]) / 2 if item.symmetry else item.size[0] / 2
    return min(zone.size[:2]) / 2 >= radius + ZONE_ROOM


def _is_beside(spec: TaskSpec, goal: Goal, place: Place, item: int, now: Snapshot) -> bool:
    """Whether an item is in a region beside other things, on the same level as they are."""
    low, have = span(spec, item, now)[0], now.poses[item]
    own = outline(spec, item, now)
    others = [outline(spec, base, now) for base in place.bases]
    lows = [span(spec, base, now)[0] for base in place.bases]
    level = all(abs(low - other) <= HEIGHT_TOLERANCE for other in lows)
    if not level or any(own.intersection(other).area > _OVERLAP for other in others):
        return False
    first = now.poses[place.bases[0]]
    if goal.relation == "next to":
        return bool(own.distance(others[0]) <= NEIGHBOUR_GAP)
    if goal.relation == "between":
        a, b = (np.array((now.poses[k].x, now.poses[k].y)) for k in place.bases)
        share = float(((have.x, have.y) - a) @ (b - a) / max(1e-12, float((b - a) @ (b - a))))
        return 1 / 3 <= share <= 2 / 3 and bool(own.intersects(shapely.LineString([a, b])))
    dx, dy = have.x - first.x, have.y - first.y
    ahead, side = DIRECTIONS[goal.relation], math.hypot(dx, dy)
    cosine = (dx * ahead[0] + dy * ahead[1]) / max(side, 1e-12)
    return side <= REGION_REACH and cosine >= math.cos(REGION_ANGLE) - 1e-9


def in_row(spec: TaskSpec, items: Sequence[int], anchors: Sequence[int], now: Snapshot) -> int:
    """The largest number of `items` that stand in one row, together with all `anchors`."""
    there = [k for k in (*items, *anchors) if now.has(k)]
    points = {k: np.array((now.poses[k].x, now.poses[k].y)) for k in there}
    shapes = {k: outline(spec, k, now) for k in there}
    lows = {k: span(spec, k, now)[0] for k in there}
    best = 0
    for a, b in itertools.combinations(there, 2):
        way = points[b] - points[a]
        length = float(np.linalg.norm(way))
        if length < 1e-6:
            continue
        way = way / length
        side = np.array((-way[1], way[0]))
        along = {
            k: float((points[k] - points[a]) @ way)
            for k in there
            if abs((points[k] - points[a]) @ side) <= ROW_WIDTH
            and abs(lows[k] - lows[a]) <= HEIGHT_TOLERANCE
        }
        for run in _runs(sorted(along, key=along.__getitem__), shapes):
            if set(anchors) <= set(run):
                best = max(best, sum(k in items for k in run))
    return best


def _runs(row: Sequence[int], shapes: dict[int, shapely.Polygon]) -> list[list[int]]:
    """Cut a sorted row where a gap is too wide."""
    runs = [[row[0]]]
    for a, b in itertools.pairwise(row):
        if shapes[a].distance(shapes[b]) > NEIGHBOUR_GAP:
            runs.append([])
        runs[-1].append(b)
    return runs


def around(spec: TaskSpec, items: Sequence[int], centre: int, now: Snapshot) -> int:
    """How many of `items` fit together around something, evenly spaced; one beside it fits always.

    All of them encircle it where neighbouring angles and distances from its middle differ by at
    most 20 % from even ones.
    """
    middle, low = now.poses[centre], span(spec, centre, now)[0]
    inner = outline(spec, centre, now)
    ring = []
    for k in items:
        pose = now.poses[k]
        away = pose.distance(middle)
        level = abs(span(spec, k, now)[0] - low) <= HEIGHT_TOLERANCE
        if now.has(k) and level and not outline(spec, k, now).intersection(inner).area > _OVERLAP:
            ring.append((math.atan2(pose.y - middle.y, pose.x - middle.x) % math.tau, away))
    even, best = math.tau / len(items), 0
    for angle, away in ring:
        slots = {
            round((a - angle) / even) % len(items)
            for a, d in ring
            if abs(wrap(a - angle, even)) <= EVENNESS / 2 * even and abs(d / away - 1) <= EVENNESS
        }
        best = max(best, len(slots))
    if len(ring) == len(items) and _is_even(ring):
        return len(items)
    return min(best, len(items) - 1)


def _is_even(ring: list[tuple[float, float]]) -> bool:
    angles = np.sort([angle for angle, _ in ring])
    gaps = np.diff(np.r_[angles, angles[0] + math.tau])
    away = np.array([distance for _, distance in ring])
    even = math.tau / len(ring)
    spread = np.abs(away / away.mean() - 1).max()
    return bool(np.abs(gaps / even - 1).max() <= EVENNESS and spread <= EVENNESS)


def crumbs_inside(spec: TaskSpec, base: int, crumbs: Array, now: Snapshot) -> NDArray[np.bool_]:
    """Which crumbs (k, 3) lie inside a zone, heaped up or not, or in a container, (k,)."""
    opening = spec.items[base].asset.opening
    if opening is None:
        return np.zeros(len(crumbs), bool)
    highest = max(0.03, spec.items[base].asset.height)
    if isinstance(spec.items[base].asset, Zone):
        opening, highest = opening.buffer(ZONE_MARGIN), _HEAP
    origin = now.poses[base]
    local = transform(crumbs[:, :2] - (origin.x, origin.y), Pose(0, 0, 0, -origin.yaw))
    within = shapely.contains_xy(opening, local[:, 0], local[:, 1])
    return np.asarray(within & (crumbs[:, 2] < highest))


def path_corners(spec: TaskSpec, goal: Goal, now: Snapshot) -> Array:
    """Corners (n, 2) of a goal's path, wherever the things on which it ends are now.

    An end on a thing that stands up is where a rope touches its side.
    """
    poses = [frame_of(place, now) @ place.pose for place in goal.places]
    corners = np.array([(pose.x, pose.y) for pose in poses])
    ended = corners.copy()
    for end, after in ((0, 1), (-1, -2)):
        place = goal.places[end]
        if not place.bases or spec.geometry(place.bases[0]).flat or place.pose != Pose(0.0, 0.0):
            continue
        side = outline(spec, place.bases[0], now).buffer(Rope.BEAD / 2 + _AIR)
        way = shapely.LineString([corners[end], corners[after]]).difference(side)
        if not way.is_empty:
            ended[end] = shapely.get_coordinates(way)[0]
    return ended


def path_points(corners: Array, count: int) -> Array:
    """`count` points (count, 2) evenly along a path, given its corners (n, 2)."""
    lengths = np.r_[0, np.cumsum(np.linalg.norm(np.diff(corners, axis=0), axis=1))]
    at = np.linspace(0, lengths[-1], count)
    return np.stack([np.interp(at, lengths, axis) for axis in corners.T], axis=1)


def bead_targets(spec: TaskSpec, goal: Goal, now: Snapshot) -> Array:
    """Return target positions (k, 2) of a rope's beads, in the direction that is nearer."""
    beads = now.bodies[goal.items[0]]
    ahead = path_points(path_corners(spec, goal, now), len(beads))
    back = np.flipud(ahead)
    return min(ahead, back, key=lambda way: np.linalg.norm(beads[:, :2] - way, axis=1).sum())


def beads_along(spec: TaskSpec, goal: Goal, now: Snapshot) -> float:
    """Share of a rope's beads that lie on the path and do not fold back, 0 to 1.

    A bead counts within 1 cm across the path; the first and the last one also within 2 cm of the
    path's ends.
    """
    corners = path_corners(spec, goal, now)
    beads = now.bodies[goal.items[0]]
    way = shapely.LineString(_extended(corners))
    points = shapely.points(beads[:, :2])
    across = shapely.distance(way, points)
    along = shapely.line_locate_point(way, points)
    good = (across <= goal.position_tolerance) & (beads[:, 2] < 0.03)
    shares = []
    for ends, order in ((corners[[0, -1]], along), (corners[[-1, 0]], -along)):
        # A bead that lies behind one of those before it has folded back.
        forward = order >= np.maximum.accumulate(order) - Rope.BEAD / 2
        ok = good & forward
        for bead, end in ((0, ends[0]), (-1, ends[1])):
            ok[bead] &= float(np.linalg.norm(beads[bead, :2] - end)) <= ROPE_END
        shares.append(float(ok.mean()))
    return max(shares)


def _extended(corners: Array) -> Array:
    """A path (n, 2) that goes on straight by 2 cm at both ends, where a rope's end may be."""
    first, last = corners[0] - corners[1], corners[-1] - corners[-2]
    longer = corners.copy()
    longer[0] += first / max(1e-9, float(np.linalg.norm(first))) * ROPE_END
    longer[-1] += last / max(1e-9, float(np.linalg.norm(last))) * ROPE_END
    return longer


def supports(spec: TaskSpec) -> list[set[int]]:
    """Return for each goal the items on, in or at which its items come to stand.

    These are the bases of its places and, for poses, what earlier goals have put right below it.
    """
    found: list[set[int]] = []
    start = spec.start_snapshot
    stands: dict[int, tuple[int | None, Pose]] = {
        k: (None, item.start)
        for k, item in enumerate(spec.items)
        if item.fixed and not (spec.geometry(k).flat or item.asset.hollow)
    }
    for goal in spec.goals:
        anchors = {spec.patterns[p.pattern].anchor for p in goal.places if p.pattern is not None}
        below = goal.bases | {anchor for anchor in anchors if anchor is not None}
        for item in goal.items:
            stands.pop(item, None)
        new: dict[int, tuple[int | None, Pose]] = {}
        for k, place in enumerate(goal.places if goal.relation in ("at", "on") else ()):
            item = goal.item_for(k)
            if goal.relation == "at":
                pose = target_of(spec, goal, place, start)
                below |= {
                    other
                    for other, (pattern, where) in stands.items()
                    if pattern == place.pattern and _rests_on(spec, item, pose, other, where)
                }
                new[item] = place.pattern, pose
            elif place.bases[0] in stands:
                pattern, base = stands[place.bases[0]]
                height = spec.items[place.bases[0]].asset.height
                new[item] = pattern, (base @ place.pose).up(height)
        stands |= new
        found.append(below)
    return found


def together(spec: TaskSpec, number: int) -> list[int]:
    """The goals, counted from 0, that share the instruction of one of them."""
    said = spec.goals[number].instruction
    return [k for k, goal in enumerate(spec.goals) if goal.instruction == said]


def merged(spec: TaskSpec, number: int) -> Goal:
    """A goal with the items and places of all that share its instruction."""
    goals = [spec.goals[k] for k in together(spec, number)]
    items = tuple(dict.fromkeys(item for goal in goals for item in goal.items))
    places = tuple(place for goal in goals for place in goal.places)
    return replace(spec.goals[number], items=items, places=places)


def _rests_on(spec: TaskSpec, item: int, pose: Pose, other: int, stands: Pose) -> bool:
    """Whether an item at a pose is right above another one where that stands."""
    top = stands.z + spec.items[other].asset.height
    level = abs(pose.z - top) < HEIGHT_TOLERANCE
    return level and spec.footprint(other, stands).intersects(spec.footprint(item, pose))
