"""Checks of a whole spec, once everything has been placed."""

from __future__ import annotations

from collections.abc import Callable

import shapely

from gensim_envs.errors import TaskError, in_goal
from gensim_envs.task.assets import Pile
from gensim_envs.task.checks.sentences import check_sentence
from gensim_envs.task.geometry import in_workspace
from gensim_envs.task.goals import Goal
from gensim_envs.task.judge import Judge
from gensim_envs.task.pose import WORKSPACE
from gensim_envs.task.relations import merged, supports, target_of, together
from gensim_envs.task.spec import TaskSpec

_TOUCH = 0.001
"""Metres by which outlines or heights may overlap and still only touch."""


HIGHEST = 1.0
"""Metres above the table at which things may start or belong."""


def check_spec(spec: TaskSpec) -> None:
    """Check a whole spec, once everything has been placed.

    Raises:
        TaskError: with `redraw` set where another draw may be fine.
    """
    for number, goal in enumerate(spec.goals, 1):
        with in_goal(number):  # before starts, since a mark off the table is one, too
            check_targets_on_table(spec, goal)
    _check_starts(spec)
    below = supports(spec)
    held: _Held = {}
    loads: dict[int, set[int]] = {}
    moved: set[int] = set()
    judge = Judge(spec)
    checks: tuple[Callable[[Goal, set[int]], None], ...] = (
        lambda goal, under: _check_said(spec, goal, below),
        lambda goal, under: _check_held_targets(spec, goal, held),
        lambda goal, under: _check_loads(spec, goal, under, loads),
        lambda goal, under: _check_not_met(spec, judge, goal, moved),
    )
    for check in checks:
        for number, (goal, under) in enumerate(zip(spec.goals, below, strict=True), 1):
            with in_goal(number):
                check(goal, under)


def _check_said(spec: TaskSpec, goal: Goal, below: list[set[int]]) -> None:
    number = spec.goals.index(goal)
    under = set().union(*(below[k] for k in together(spec, number)))
    check_sentence(spec, merged(spec, number), under)


def _on_table(shape: shapely.Polygon) -> bool:
    (x0, x1), (y0, y1) = WORKSPACE
    a, b, c, d = shape.bounds
    return x0 - _TOUCH <= a and c <= x1 + _TOUCH and y0 - _TOUCH <= b and d <= y1 + _TOUCH


def _check_starts(spec: TaskSpec) -> None:
    """Check that everything starts on the table, and that solid things start apart."""
    shapes = []
    for k, item in enumerate(spec.items):
        shape = spec.footprint(k, item.start)
        if not item.bodies and not _on_table(shape):
            raise TaskError(
                f"the {item.asset} starts off the table", "Move or shrink it", redraw=True
            )
        solid = not (spec.geometry(k).flat or item.asset.hollow or item.bodies)
        if solid and item.after is None:
            shapes.append((item, item.start.z, shape))
    for k, (a, low_a, shape_a) in enumerate(shapes):
        for b, low_b, shape_b in shapes[:k]:
            overlap = _heights_overlap(low_a, a.asset.height, low_b, b.asset.height)
            if overlap and _intersect(shape_a, shape_b):
                raise TaskError(
                    f"the {a.asset} and the {b.asset} start inside each other",
                    "Give them room",
                    redraw=True,
                )


def _intersect(a: shapely.Polygon, b: shapely.Polygon) -> bool:
    """Whether two areas do more than touch."""
    if not a.intersects(b):  # which is nearly always so, and much quicker to see
        return False
    inner_a, inner_b = (area.buffer(-_TOUCH, join_style="mitre") for area in (a, b))
    return bool(inner_a.intersects(inner_b))


def _heights_overlap(low_a: float, height_a: float, low_b: float, height_b: float) -> bool:
    return min(low_a + height_a, low_b + height_b) - max(low_a, low_b) > _TOUCH


def check_targets_on_table(spec: TaskSpec, goal: Goal) -> None:
    start = spec.start_snapshot
    for k, place in enumerate(goal.places):
        if goal.relation not in ("along", "at") or place.pattern is not None:
            continue
        pose = target_of(spec, goal, place, start)
        if goal.relation == "along":
            inside = in_workspace(pose.x, pose.y)
        else:
            inside = _on_table(spec.footprint(goal.item_for(k), pose))
            inside &= -_TOUCH <= pose.z <= HIGHEST
        if not inside:
            raise TaskError(
                f"its place {k + 1} is off the table",
                "Move it inwards, for instance with reserve(margin=...)", redraw=True,
            )  # fmt: skip


_Prism = tuple[float, float, shapely.Polygon]
"""Underside, height and footprint of an item at its place."""
_Held = dict[int, _Prism]
"""By item, the place that an earlier goal has put it in."""


def _check_held_targets(spec: TaskSpec, goal: Goal, held: _Held) -> None:
    """Check that poses that are occupied at the same time do not intersect.

    Args:
        spec: the task.
        goal: the next goal.
        held: what earlier goals have put where; updated.
    """
    for item in goal.items:
        held.pop(item, None)
    if goal.relation not in ("at", "on") or goal.shared or goal.alternatives > 1:
        return
    fresh: list[_Prism] = []
    for k, place in enumerate(goal.places):
        item = goal.item_for(k)
        pose = target_of(spec, goal, place, spec.start_snapshot)
        if place.pattern is not None or any(not spec.items[base].fixed for base in place.bases):
            continue  # it is not known where it is
        if goal.relation == "on" and not place.exact:
            continue
        fresh.append((pose.z, spec.items[item].asset.height, spec.footprint(item, pose)))
    rivals = len(goal.items) > 1  # a single item takes only one of its places
    for k, (low, height, shape) in enumerate(fresh):
        for low_b, height_b, shape_b in [*held.values(), *(fresh[:k] if rivals else ())]:
            if _heights_overlap(low, height, low_b, height_b) and _intersect(shape, shape_b):
                raise TaskError(
                    f"its place {k + 1} intersects another place",
                    "Move the places apart, or count the height of what is below", redraw=True,
                )  # fmt: skip
    if len(goal.items) == len(fresh):
        held.update(zip(goal.items, fresh, strict=True))


def _check_loads(spec: TaskSpec, goal: Goal, below: set[int], loads: dict[int, set[int]]) -> None:
    """Check that a goal does not move what an earlier goal has put something on or into.

    Args:
        spec: the task.
        goal: the next goal.
        below: what its items come to stand on.
        loads: by item, the items that it carries; updated.
    """
    for item in goal.items:
        if loads.get(item):
            raise TaskError(
                f"it moves the {spec.items[item].asset}, on which an earlier goal has put "
                "something",
                "Move the base first",
            )
    for carried in loads.values():
        carried -= set(goal.items)
    for base in below:
        loads.setdefault(base, set()).update(goal.items)


def _check_not_met(spec: TaskSpec, judge: Judge, goal: Goal, moved: set[int]) -> None:
    """Check that a goal is not met before anything has moved, and no crumb starts inside."""
    fresh = not moved & set(goal.items)
    met = judge.fraction(spec.goals.index(goal), spec.start_snapshot)
    pile = isinstance(spec.items[goal.items[0]].asset, Pile)
    if fresh and (met == 1 or (pile and met > 0)):
        raise TaskError("it is met before anything has moved", "Start farther away", redraw=True)
    moved |= set(goal.items)
