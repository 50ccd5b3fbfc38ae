"""Checks of goals and single values as they are declared, before anything has been placed."""

from __future__ import annotations

import itertools
import operator
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely

from gensim_envs.errors import TaskError
from gensim_envs.task.assets import (
    Asset,
    Fixture,
    Household,
    KitPiece,
    Mark,
    PegStand,
    Pile,
    Rope,
    Zone,
    asset_geometry,
)
from gensim_envs.task.geometry import footprint
from gensim_envs.task.goals import (
    BASES,
    DIRECTIONS,
    FIT_POSITION,
    FIT_YAW,
    GROUPS,
    POSITION_TOLERANCE,
    YAW_TOLERANCE,
    Goal,
    Place,
    Rule,
)
from gensim_envs.task.patterns import Pattern
from gensim_envs.task.pose import MAX_POSE, Pose
from gensim_envs.task.spec import (
    MAX_BODIES,
    MAX_MESHES,
    MAX_PLACES,
    MAX_SENTENCE,
    ItemSpec,
)

_ON = 0.001
"""Metres by which a mark may be off the surface that it is painted on."""


def tolerances(items: Sequence[ItemSpec], places: Sequence[Place]) -> tuple[float, float]:
    """The widest tolerances in the plane and of the heading, metres and radians."""
    if any(items[base].asset.fits for place in places for base in place.bases):
        return FIT_POSITION, FIT_YAW
    return POSITION_TOLERANCE, YAW_TOLERANCE


def check_goal(
    items: Sequence[ItemSpec], patterns: Sequence[Pattern], earlier: Sequence[Goal], goal: Goal
) -> None:
    """Check a single goal, as soon as it is declared.

    Args:
        items: everything on the table so far.
        patterns: of the scene so far.
        earlier: the goals before it.
        goal: the goal.

    Raises:
        TaskError: naming what does not fit.
    """
    if not (goal.instruction.strip() and len(goal.instruction.encode()) <= MAX_SENTENCE):
        raise TaskError(
            "the instruction is empty or too long", f"Write 1 to {MAX_SENTENCE} bytes of text"
        )
    if not goal.instruction.isprintable():
        raise TaskError(
            f"the instruction {goal.instruction!a} contains a character that cannot be printed",
            "Write one line of plain text",
        )
    if re.search(r" at 0x[0-9a-f]+", goal.instruction):
        raise TaskError(
            "the instruction shows the address of an object, which differs between processes",
            "Name an item: f'the {item}'",
        )
    if not goal.items or len(set(goal.items)) != len(goal.items):
        raise TaskError("the goal has no items, or lists an item twice", "List each item once")
    if not 0 < len(goal.places) <= MAX_PLACES:
        raise TaskError(f"the goal has {len(goal.places)} places", f"Give 1 to {MAX_PLACES} places")
    for k in goal.items:
        if items[k].fixed:
            raise TaskError(
                f"the {items[k].asset} is fixed and cannot be moved",
                "Move something else, or add it with fixed=False",
            )
        if items[k].distractor:
            raise TaskError(f"the {items[k].asset} was declared a distractor", "Use scene.add")
    size = len(goal.places) // max(1, goal.alternatives)
    together = goal.shared or goal.relation in ("along", *GROUPS)
    if not together and len(goal.items) > size:
        raise TaskError(
            f"{len(goal.items)} items for {size} places", "Give at least as many places as items"
        )
    widest = tolerances(items, goal.places)
    for name, value, least, most in (
        ("tolerance", goal.position_tolerance, 1e-4, widest[0]),
        ("yaw_tolerance", goal.yaw_tolerance, 1e-3, widest[1]),
    ):
        check_number(f"the {name}, which may only be tightened,", value, least, most)
    _check_relation(items, goal)
    _check_pattern(patterns, earlier, goal)


def _check_relation(items: Sequence[ItemSpec], goal: Goal) -> None:
    """Check that the items and bases can stand in this relation."""
    for k, place in enumerate(goal.places):
        check_pose(f"{goal.relation}=", place.pose)
        if set(place.bases) & set(goal.items):
            raise TaskError("an item is its own base", "Choose another base")
        if len(set(place.bases)) != len(place.bases):
            raise TaskError("a place names a base twice", "Name each once")
        if goal.relation == "at":
            _check_shown(items, goal, k, place)
        elif goal.relation == "inside":
            base = items[place.bases[0]].asset
            if base.opening is None:
                raise TaskError(
                    f"nothing can be inside the {base}", "Use a Bowl, Container or Zone"
                )
        elif goal.relation == "on":
            for index in place.bases:
                _check_carries(items, goal, place, items[index].asset)
    _check_count(goal)
    _check_soft(items, goal)


def _check_shown(items: Sequence[ItemSpec], goal: Goal, k: int, place: Place) -> None:
    """Check that the picture shows a place of an `at` goal."""
    if place.pattern is not None:
        return
    mover = items[goal.item_for(k)].asset
    if not place.bases:
        raise TaskError(
            "at= got a pose that nothing in the picture shows",
            "Paint it with scene.mark(item, pose), or use on=, inside=, next_to=, left_of=, "
            "between=, row= or scene.pattern()",
        )
    base = items[place.bases[0]]
    if not base.fixed:
        raise TaskError(f"the {base.asset} is movable, so nothing is at it", "Use on= or next_to=")
    if not base.asset.shows(place.pose, mover):
        raise TaskError(
            f"at= got a pose relative to the {base.asset} that nothing in the picture shows",
            "Use one of its own places, such as kit.place, or paint it with scene.mark(item, pose)",
        )


def _check_carries(items: Sequence[ItemSpec], goal: Goal, place: Place, base: Asset) -> None:
    """Check that things can stand on a base."""
    flat = asset_geometry(base).flat or base.bodies > 1 or base.tumbles == "ball"
    if flat or base.opening is not None or isinstance(base, (PegStand, Fixture)):
        raise TaskError(f"nothing can stand on the {base}", "Use inside= or at=")
    if place.exact and len(place.bases) == 1:
        _check_overlap(items, goal, place.pose, base)


def _check_count(goal: Goal) -> None:
    """Check the numbers of bases and items that a relation needs."""
    low, high = BASES[goal.relation]
    for place in goal.places:
        if not low <= len(place.bases) <= high:
            raise TaskError(
                f"{goal.relation} has {len(place.bases)} bases",
                f"Give {low}" if low == high else f"Give {low} to {high}",
            )
    bases = len(goal.places[0].bases)
    if goal.relation in ("between", *GROUPS, *DIRECTIONS) and len(goal.places) != 1:
        raise TaskError(f"{goal.relation} has {len(goal.places)} places", "Give one")
    least = {"around": 3, "row": 3 - min(bases, 2)}.get(goal.relation, 1)
    if len(goal.items) < least:
        raise TaskError(f"{goal.relation} has {len(goal.items)} items", f"Give at least {least}")


def _check_pattern(patterns: Sequence[Pattern], earlier: Sequence[Goal], goal: Goal) -> None:
    """Check that a pattern begins with two items, or with an anchor that the picture shows."""
    numbers = {place.pattern for place in goal.places}
    if numbers == {None}:
        return
    if len(numbers) > 1 or goal.relation != "at":
        raise TaskError("a goal mixes places of a pattern with others", "Use one pattern, with at=")
    (number,) = numbers
    if number is None or number >= len(patterns) or any(place.bases for place in goal.places):
        raise TaskError("a goal has an unknown pattern", "Use the result of scene.pattern()")
    anchor = patterns[number].anchor
    if anchor is not None and anchor in goal.items:
        raise TaskError("a pattern's anchor is one of its items", "Choose another anchor")
    begun = any(place.pattern == number for g in earlier for place in g.places)
    if anchor is None and not begun and len(goal.items) < 2:
        raise TaskError(
            "the first goal of a pattern has a single item, which could be anywhere",
            "Give it two items or more, or use scene.pattern(anchor=item)",
        )


def _check_soft(items: Sequence[ItemSpec], goal: Goal) -> None:
    """Check that a rope or pile has a goal of its own, with the relation that it needs."""
    soft = [items[k].asset for k in goal.items if items[k].asset.bodies > 1]
    if soft and len(goal.items) > 1:
        raise TaskError(f"the {soft[0]} shares a goal with something else", "Give it its own goal")
    rope, pile = bool(soft) and isinstance(soft[0], Rope), bool(soft) and isinstance(soft[0], Pile)
    if (goal.relation == "along") != rope:
        raise TaskError("along= requires a rope, and a rope requires along=", "Use both or neither")
    if rope:
        _check_path(items, goal)
    zones = all(p.bases and isinstance(items[p.bases[0]].asset, Zone) for p in goal.places)
    if pile and not (goal.relation == "inside" and zones):
        raise TaskError("a pile can only be swept into a zone", "Use inside=zone")


def _check_overlap(items: Sequence[ItemSpec], goal: Goal, offset: Pose, base: Asset) -> None:
    """Check that the offset of an `on` goal lies above its base."""
    under = shapely.Polygon(asset_geometry(base).outline)
    for k in goal.items:
        outline = asset_geometry(items[k].asset).outline
        if not footprint(outline, offset).intersects(under):
            raise TaskError(
                f"the offset puts the item beside the {base}, not on it",
                "Give it in metres from the base's middle",
            )


def _check_path(items: Sequence[ItemSpec], goal: Goal) -> None:
    rope = items[goal.items[0]].asset
    assert isinstance(rope, Rope)
    if len(goal.places) < 2:
        raise TaskError("the path has fewer than two corners", "Give more poses")
    if any(not items[base].fixed for place in goal.places for base in place.bases):
        return  # its length is known only when they stand
    if any(_is_side(items, place) for place in goal.places):
        return  # it ends at their sides, which depends on its direction
    corners = [items[p.bases[0]].start @ p.pose if p.bases else p.pose for p in goal.places]
    length = sum(a.distance(b) for a, b in itertools.pairwise(corners))
    if not 0.93 * rope.length <= length <= 1.01 * rope.length:
        raise TaskError(
            f"the path is {length:.3f} m long, the rope {rope.length} m",
            f"Make the path {0.93 * rope.length:.3f} to {rope.length} m long",
        )


def _is_side(items: Sequence[ItemSpec], place: Place) -> bool:
    """Whether an end of a path is the side of something that stands up."""
    upright = [base for base in place.bases if not asset_geometry(items[base].asset).flat]
    return bool(upright) and place.pose == Pose(0.0, 0.0)


def check_declared(
    items: Sequence[ItemSpec],
    goals: Sequence[Goal],
    patterns: Sequence[Pattern],
    rules: Sequence[Rule],
) -> None:
    """Check that there are goals, and that each movable item has a part in one.

    Raises:
        TaskError: naming what does not fit.
    """
    if not goals:
        raise TaskError("the task has no goal", "Declare one with scene.goal")
    bodies = sum(item.asset.bodies for item in items)
    if bodies > MAX_BODIES:
        raise TaskError(
            f"the scene has {bodies} bodies, more than {MAX_BODIES}", "Use fewer ropes and piles"
        )
    meshes = sum(isinstance(item.asset, (Household, KitPiece)) for item in items)
    if meshes > MAX_MESHES:
        raise TaskError(
            f"the scene has {meshes} objects and pieces, more than {MAX_MESHES}", "Use fewer"
        )
    used = {k for goal in goals for k in goal.items}
    moved = {items[k].asset for k in used}
    for item in items:
        if item.distractor and item.asset in moved:
            raise TaskError(
                f"a distractor equals the {item.asset} that a goal moves",
                "Give it another colour or size",
            )
    used = used.union(*(goal.bases for goal in goals), *(rule.items for rule in rules))
    used |= {pattern.anchor for pattern in patterns if pattern.anchor is not None}
    for k, item in enumerate(items):
        if not (item.fixed or item.distractor or k in used):
            raise TaskError(
                f"the {item.asset} is neither a distractor nor part of a goal",
                "Add it with scene.distract, or leave it out",
            )


def check_mark(items: Sequence[ItemSpec], mark: Mark, pose: Pose) -> None:
    """Check that the footprint of a mark lies on the table or on the top of something fixed.

    Its line is around the footprint, so it may reach over the edge of the top.

    Whether it is within the table is checked when everything has been placed.

    Args:
        items: everything on the table so far.
        mark: what is to be painted.
        pose: where.

    Raises:
        TaskError: if it would float, lie inside something, or belong to a pattern.
    """
    check_pose("at=", pose)
    if pose.owner is not None and pose.owner < 0:
        raise TaskError(
            "a pattern may be anywhere, so it cannot be marked", "Use its poses with at="
        )
    if abs(pose.z) <= _ON:
        return
    outline = footprint(np.array(mark.corners), pose)
    for item in items:
        geometry = asset_geometry(item.asset)
        if not item.fixed or geometry.flat or item.asset.hollow:
            continue
        level = abs(item.start.z + item.asset.height - pose.z) <= _ON
        if level and footprint(geometry.outline, item.start).buffer(_ON).covers(outline):
            return
    raise TaskError(
        f"the mark {pose.z:.3f} m up lies neither on the table nor wholly on a fixed top",
        "Put it at height 0, or at stand.pose.up(stand.asset.height) and within its top",
    )


def check_number(name: str, value: Any, low: float, high: float) -> None:
    """Check that a value is a plain finite number from `low` to `high`."""
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not plain or not low <= value <= high:
        allowed = f"Give a number from {low:.4g} to {high:.4g}"
        raise TaskError(f"{name} is {value!r:.60}", allowed)


def check_count(name: str, value: Any) -> int:
    """Return a whole number of at least 1; NumPy's are accepted, True is not."""
    try:
        count = operator.index(value)
    except TypeError:
        count = 0
    if count < 1 or isinstance(value, bool):
        raise TaskError(f"{name} is {value!r:.60}", "Give a whole number of at least 1")
    return count


def check_pose(name: str, pose: Any) -> None:
    """Check that a pose has finite numbers within the limits of a spec."""
    if not isinstance(pose, Pose):
        raise TaskError(f"{name} got {pose!r:.60}", "Give a Pose")
    for axis in ("x", "y", "z", "yaw"):
        value = getattr(pose, axis)
        check_number(f"{axis} of a pose in {name}", value, -MAX_POSE, MAX_POSE)
