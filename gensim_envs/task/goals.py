"""What a goal means: relations, order, matching, tolerance and progress, without physics.

A `Snapshot` says where everything is once it has come to rest; a `Judge` says how far an episode
has come. Nothing here knows how items are moved.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from gensim_envs.task.assets import Zone
from gensim_envs.task.pose import Pose, wrap

if TYPE_CHECKING:
    from gensim_envs.task.spec import TaskSpec

Array = NDArray[np.float64]
Relation = Literal["at", "on", "inside", "along"]
RELATIONS: tuple[Relation, ...] = get_args(Relation)

POSITION_TOLERANCE = 0.01
HEIGHT_TOLERANCE = 0.01
YAW_TOLERANCE = math.radians(15)
TILT_TOLERANCE = math.radians(15)
PILE_SOLVED = 0.95
"""Share of a pile's crumbs that must lie inside."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a goal wants one item.

    Attributes:
        pose: in the world where `base` is None or the relation is `at`, else in the base's frame.
            For `inside` it only tells the demonstrator where to put the item.
        base: index of the item it refers to.
    """

    pose: Pose
    base: int | None = None


@dataclass(frozen=True, slots=True)
class Goal:
    """One sentence and what makes it true.

    Attributes:
        instruction: the sentence that the agent reads.
        items: indices of the items to move.
        relation: how they shall stand to the places.
        places: for `along` the corners of the path; for `inside` with a single place any number
            of items may share it, else each place takes one item.
        fully: for a zone, the whole footprint must be inside, not only its centre.
        position_tolerance: metres in the plane.
        yaw_tolerance: radians, up to the asset's symmetry.
    """

    instruction: str
    items: tuple[int, ...]
    relation: Relation
    places: tuple[Place, ...]
    fully: bool = False
    position_tolerance: float = POSITION_TOLERANCE
    yaw_tolerance: float = YAW_TOLERANCE

    @property
    def shared(self) -> bool:
        """Whether one place takes all items."""
        return self.relation == "inside" and len(self.places) == 1


@dataclass(frozen=True)
class Snapshot:
    """Where everything is.

    Attributes:
        poses: one for each item; z is the height of the underside.
        tilts: (n,) how far each leans from the nearest way up that its symmetry allows, radians.
        bodies: for ropes and piles, centres of beads and crumbs by item index, each (k, 3).
        contacts: pairs (i, j), i < j, of items that touch.
    """

    poses: tuple[Pose, ...]
    tilts: tuple[float, ...]
    bodies: dict[int, Array]
    contacts: frozenset[tuple[int, int]]

    def has(self, item: int) -> bool:
        """Whether an item is on the table: not waiting for its turn, nor fallen off."""
        return self.poses[item].z > -0.5


def tilt_and_yaw(tumbles: str, rotation: Array) -> tuple[float, float]:
    """How a body leans and heads, with which ways up are the same taken into account.

    Args:
        tumbles: `Asset.tumbles`.
        rotation: (3, 3) world_from_body.

    Returns:
        (tilt, yaw), radians; the tilt is 0 for a body that stands on a face it may stand on.
    """
    if tumbles == "ball":
        return 0.0, 0.0
    up = 2
    if tumbles == "cube":
        up = int(np.argmax(np.abs(rotation[2])))
    forward = rotation[:, (up + 1) % 3 if up != 2 else 0]
    cosine = abs(rotation[2, up]) if tumbles == "cube" else rotation[2, up]
    return math.acos(min(1.0, max(-1.0, cosine))), math.atan2(forward[1], forward[0])


def transform(outline: Array, pose: Pose) -> Array:
    """Corners (n, 2) in an item's frame, as corners in the world."""
    c, s = math.cos(pose.yaw), math.sin(pose.yaw)
    turned: Array = outline @ np.array([[c, s], [-s, c]])
    return turned + (pose.x, pose.y)


def footprint(outline: Array, pose: Pose) -> shapely.Polygon:
    """The area on the table of an outline (n, 2) at a pose."""
    # Twice as fast as the constructor of Polygon, and this is done some sixty times for a draw.
    return cast(shapely.Polygon, shapely.polygons(transform(outline, pose)))


def target_of(spec: TaskSpec, goal: Goal, place: Place, snapshot: Snapshot) -> Pose:
    """The world pose at which an item would be on or at `place`, wherever the base is now."""
    if goal.relation == "at" or place.base is None:
        return place.pose
    base = snapshot.poses[place.base] @ place.pose
    if goal.relation == "on":
        return base.up(spec.items[place.base].asset.height)
    return base


def _is_met(spec: TaskSpec, goal: Goal, place: Place, item: int, now: Snapshot) -> bool:
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
    """Where each bead (k, 3) of a rope belongs, (k, 2), for the direction that is nearer now."""
    ahead = path_points(goal, len(beads))
    back = np.flipud(ahead)
    errors = [float(np.linalg.norm(beads[:, :2] - way, axis=1).sum()) for way in (ahead, back)]
    return ahead if errors[0] <= errors[1] else back


def beads_along(goal: Goal, beads: Array) -> float:
    """Share of a rope's beads (k, 3) that lie where they belong on the path."""
    distance = np.linalg.norm(beads[:, :2] - bead_targets(goal, beads), axis=1)
    resting = beads[:, 2] < 0.03
    return float(((distance <= goal.position_tolerance) & resting).mean())


def match(spec: TaskSpec, goal: Goal, now: Snapshot) -> dict[int, int]:
    """Which place each rigid item of a goal is to have: {item: place}.

    Items of equal asset are interchangeable, so each group of equals is assigned to the places
    that are nearest in sum; what is already in place stays there, and lower places go first. What
    is not on the table gets none.
    Where unequal items have a place each, the n-th item belongs to the n-th place.
    """
    if goal.shared:
        return dict.fromkeys(goal.items, 0)
    groups: dict[Any, list[int]] = {}
    for item in filter(now.has, goal.items):
        groups.setdefault(spec.items[item].asset, []).append(item)
    kinds = {spec.items[item].asset for item in goal.items}
    bases = {place.base for place in goal.places}
    anywhere = goal.relation == "inside" and len(bases) == len(goal.places)
    equal = len(kinds) == 1 or len(goal.places) != len(goal.items) or anywhere
    taken: dict[int, int] = {}
    free = list(range(len(goal.places)))
    for group in groups.values():
        places = free if equal else [goal.items.index(item) for item in group]
        cost = np.array([[_cost(spec, goal, p, item, now) for p in places] for item in group])
        for row, column in zip(*linear_sum_assignment(cost), strict=True):
            taken[group[row]] = places[column]
        free = [p for p in free if p not in taken.values()]
    return taken


def _cost(spec: TaskSpec, goal: Goal, place: int, item: int, now: Snapshot) -> float:
    """Metres to go, with what is met far below everything else and low places before high ones."""
    want = target_of(spec, goal, goal.places[place], now)
    away = now.poses[item].distance(want)
    # Inside a container every place is met, so that the distance still counts.
    met = _is_met(spec, goal, goal.places[place], item, now)
    return away - 100.0 if met else away + 10 * want.z


def fraction_met(
    spec: TaskSpec, goal: Goal, now: Snapshot, only: Sequence[int] | None = None
) -> float:
    """How much of a goal is true now, 0..1; with `only`, of those of its items."""
    first = goal.items[0]
    if goal.relation == "along":
        return beads_along(goal, now.bodies[first])
    if first in now.bodies:
        inside = np.zeros(len(now.bodies[first]), bool)
        for place in goal.places:
            if place.base is not None:
                inside |= crumbs_inside(spec, place.base, now.bodies[first], now)
        return 1.0 if inside.mean() >= PILE_SOLVED else float(inside.mean())
    items = goal.items if only is None else only
    chosen = match(spec, goal, now)
    met = [
        item in chosen and _is_met(spec, goal, goal.places[chosen[item]], item, now)
        for item in items
    ]
    return sum(met) / len(met)


def unmet(spec: TaskSpec, goal: Goal, now: Snapshot) -> list[tuple[int, Place]]:
    """Rigid items that are not yet in place with the place of each, lowest place first."""
    chosen = match(spec, goal, now)
    left = [
        (item, goal.places[place])
        for item, place in chosen.items()
        if not _is_met(spec, goal, goal.places[place], item, now)
    ]
    return sorted(left, key=lambda pair: target_of(spec, goal, pair[1], now).z)


@dataclass(frozen=True)
class Verdict:
    """How far an episode is.

    Attributes:
        progress: 0..1, measured from the start state; 1 exactly when solved.
        current: index of the goal to work on, or None when solved.
        goals_left: how many goals are still to be met.
    """

    progress: float
    current: int | None
    goals_left: int

    @property
    def success(self) -> bool:
        return self.current is None


class Judge:
    """Follows one episode: goals in order, last goals must hold, earlier ones latch.

    Args:
        spec: the task.
        start: the state after reset, from which progress is measured.
    """

    def __init__(self, spec: TaskSpec, start: Snapshot) -> None:
        self._spec = spec
        goals = spec.goals
        # For each goal, the items for which it is the last one: these must still hold at the end.
        self._final = [
            [i for i in goal.items if not any(i in later.items for later in goals[k + 1 :])]
            for k, goal in enumerate(goals)
        ]
        weights = np.array([len(goal.items) for goal in goals], float)
        self._weights: list[float] = (weights / weights.sum()).tolist()
        self._latched = 0
        self._start = [fraction_met(spec, goal, start) for goal in goals]

    def judge(self, now: Snapshot) -> Verdict:
        """Credit a state at rest; call once after every action, in order."""
        goals = self._spec.goals
        before = 0.0
        for k, goal in enumerate(goals):
            if k < self._latched:
                final = self._final[k]
                met = fraction_met(self._spec, goal, now, final) if final else 1.0
                # Items with a later goal have done their part here.
                fraction = 1 - (1 - met) * len(final) / len(goal.items)
            else:
                fraction = fraction_met(self._spec, goal, now)
            if fraction < 1:
                base = self._start[k]
                gained = max(0.0, (fraction - base) / (1 - base)) if base < 1 else 0.0
                return Verdict(before + self._weights[k] * gained, k, len(goals) - k)
            self._latched = max(self._latched, k + 1)
            before += self._weights[k]
        return Verdict(1.0, None, 0)
