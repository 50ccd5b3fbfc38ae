"""The relations of goals: when they hold, the target poses, and the items that support others."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from gensim_envs.task.assets import Zone
from gensim_envs.task.geometry import Array, footprint, transform
from gensim_envs.task.goals import HEIGHT_TOLERANCE, TILT_TOLERANCE, Goal, Place, Snapshot
from gensim_envs.task.pose import Pose, wrap
from gensim_envs.task.spec import TaskSpec


def target_of(spec: TaskSpec, goal: Goal, place: Place, snapshot: Snapshot) -> Pose:
    """The world pose at which an item would be on or at `place`, wherever the base is now."""
    if goal.relation == "at" or place.base is None:
        return place.pose
    base = snapshot.poses[place.base] @ place.pose
    if goal.relation == "on":
        return base.up(spec.items[place.base].asset.height)
    return base


def is_met(spec: TaskSpec, goal: Goal, place: Place, item: int, now: Snapshot) -> bool:
    """Whether one rigid item fulfils the relation at one place."""
    if goal.relation == "inside":
        return place.base is not None and is_inside(spec, goal, place.base, item, now)
    want, have = target_of(spec, goal, place, now), now.poses[item]
    turn = wrap(have.yaw - want.yaw, spec.items[item].asset.symmetry)
    touches = (
        goal.relation != "on"
        or place.base is None
        or (min(item, place.base), max(item, place.base)) in now.contacts
    )
    return (
        touches
        and have.distance(want) <= goal.position_tolerance
        and abs(have.z - want.z) <= HEIGHT_TOLERANCE
        and abs(turn) <= goal.yaw_tolerance
        and now.tilts[item] <= TILT_TOLERANCE
    )


def is_inside(spec: TaskSpec, goal: Goal, base: int, item: int, now: Snapshot) -> bool:
    """Whether a rigid item is inside a container, or on a zone and resting on the table."""
    have, holder = now.poses[item], spec.items[base].asset
    opening = holder.opening
    if opening is None:
        return False
    offset = now.poses[base].inverse() @ have
    if isinstance(holder, Zone):
        at_rest = abs(have.z) <= HEIGHT_TOLERANCE
        if not goal.fully:
            return at_rest and bool(shapely.contains_xy(opening, offset.x, offset.y))
    else:
        at_rest = -HEIGHT_TOLERANCE <= offset.z < holder.height
    if not at_rest:
        return False
    area = footprint(spec.geometry(item).outline, offset)
    # A millimetre of slack: an outline is drawn round its circle, and things touch the wall.
    return bool(opening.buffer(0.001).contains(area))


def crumbs_inside(spec: TaskSpec, base: int, crumbs: Array, now: Snapshot) -> NDArray[np.bool_]:
    """Which crumbs (k, 3) lie inside a zone or container, (k,)."""
    opening = spec.items[base].asset.opening
    if opening is None:
        return np.zeros(len(crumbs), bool)
    origin = now.poses[base]
    local = transform(crumbs[:, :2] - (origin.x, origin.y), Pose(0, 0, 0, -origin.yaw))
    low = crumbs[:, 2] < max(0.03, spec.items[base].asset.height)
    return np.asarray(shapely.contains_xy(opening, local[:, 0], local[:, 1])) & low


def path_points(goal: Goal, count: int) -> Array:
    """`count` points (count, 2) evenly along a goal's path."""
    corners = np.array([(place.pose.x, place.pose.y) for place in goal.places])
    lengths = np.r_[0, np.cumsum(np.linalg.norm(np.diff(corners, axis=0), axis=1))]
    at = np.linspace(0, lengths[-1], count)
    return np.stack([np.interp(at, lengths, axis) for axis in corners.T], axis=1)


def bead_targets(goal: Goal, beads: Array) -> Array:
    """Return target positions (k, 2) of a rope's beads (k, 3), in the direction that is nearer."""
    ahead = path_points(goal, len(beads))
    back = np.flipud(ahead)
    errors = [float(np.linalg.norm(beads[:, :2] - way, axis=1).sum()) for way in (ahead, back)]
    return ahead if errors[0] <= errors[1] else back


def beads_along(goal: Goal, beads: Array) -> float:
    """Share of a rope's beads (k, 3) that lie where they belong on the path."""
    distance = np.linalg.norm(beads[:, :2] - bead_targets(goal, beads), axis=1)
    resting = beads[:, 2] < 0.03
    return float(((distance <= goal.position_tolerance) & resting).mean())


def supports(spec: TaskSpec) -> list[set[int]]:
    """Return for each goal the items on, in or at which its items come to stand.

    These are the bases of its places and, for poses, what earlier goals have put right below it.
    """
    found: list[set[int]] = []
    stands = {k: item.start for k, item in enumerate(spec.items) if item.fixed}
    placed: set[int] = set()
    for goal in spec.goals:
        below = {place.base for place in goal.places if place.base is not None}
        for item in goal.items:
            placed.discard(item)
            stands.pop(item, None)
        new: dict[int, Pose] = {}
        for k, place in enumerate(goal.places if goal.relation in ("at", "on") else ()):
            item, pose = goal.item_for(k), place.pose
            if goal.relation == "at":
                below |= {k for k in placed if _rests_on(spec, item, pose, k, stands[k])}
                new[item] = pose
            elif place.base in stands:
                new[item] = (stands[place.base] @ pose).up(spec.items[place.base].asset.height)
        stands |= new
        placed |= set(new)
        found.append(below)
    return found


def _rests_on(spec: TaskSpec, item: int, pose: Pose, other: int, stands: Pose) -> bool:
    """Whether an item at a pose is right above another one where that stands."""
    top = stands.z + spec.items[other].asset.height
    level = abs(pose.z - top) < HEIGHT_TOLERANCE
    return level and footprint(spec.geometry(other).outline, stands).intersects(
        footprint(spec.geometry(item).outline, pose)
    )
