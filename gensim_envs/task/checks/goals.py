"""Checks of goals and single values as they are declared, before anything has been placed."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Sequence
from typing import Any

import shapely

from gensim_envs.errors import TaskError
from gensim_envs.task.assets import Asset, Pile, Rope, Zone, asset_geometry
from gensim_envs.task.geometry import footprint
from gensim_envs.task.goals import POSITION_TOLERANCE, YAW_TOLERANCE, Goal
from gensim_envs.task.pose import Pose
from gensim_envs.task.spec import MAX_PLACES, MAX_POSE, MAX_SENTENCE, ItemSpec


def check_goal(items: Sequence[ItemSpec], goal: Goal) -> None:
    """Check a single goal, as soon as it is declared.

    Raises:
        TaskError: naming what does not fit.
    """
    if not (goal.instruction.strip() and len(goal.instruction.encode()) <= MAX_SENTENCE):
        raise TaskError(
            "the instruction is empty or too long", f"Write 1 to {MAX_SENTENCE} bytes of text"
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
    if not goal.shared and goal.relation != "along" and len(goal.items) > len(goal.places):
        raise TaskError(
            f"{len(goal.items)} items for {len(goal.places)} places",
            "Give at least as many places as items",
        )
    for name, value, least, most in (
        ("tolerance", goal.position_tolerance, 1e-4, POSITION_TOLERANCE),
        ("yaw_tolerance", goal.yaw_tolerance, 1e-3, YAW_TOLERANCE),
    ):
        check_number(f"the {name}, which may only be tightened,", value, least, most)
    _check_relation(items, goal)


def _check_relation(items: Sequence[ItemSpec], goal: Goal) -> None:
    """Check that the items and bases can stand in this relation."""
    for place in goal.places:
        check_pose(f"{goal.relation}=", place.pose)
        if place.base in goal.items:
            raise TaskError("an item is its own base", "Choose another base")
        if place.base is None:
            continue
        base = items[place.base].asset
        if goal.relation == "inside" and base.opening is None:
            raise TaskError(f"nothing can be inside the {base}", "Use a Bowl, Container or Zone")
        if goal.relation == "on":
            if (
                asset_geometry(base).flat
                or base.hollow
                or base.bodies > 1
                or base.tumbles == "ball"
            ):
                raise TaskError(f"nothing can stand on the {base}", "Use inside= or at=")
            _check_overlap(items, goal, place.pose, base)
    _check_soft(items, goal)


def _check_soft(items: Sequence[ItemSpec], goal: Goal) -> None:
    """Check that a rope or pile has a goal of its own, with the relation that it needs."""
    soft = [items[k].asset for k in goal.items if items[k].asset.bodies > 1]
    if soft and len(goal.items) > 1:
        raise TaskError(f"the {soft[0]} shares a goal with something else", "Give it its own goal")
    rope, pile = bool(soft) and isinstance(soft[0], Rope), bool(soft) and isinstance(soft[0], Pile)
    if (goal.relation == "along") != rope:
        raise TaskError("along= requires a rope, and a rope requires along=", "Use both or neither")
    if rope:
        _check_path(goal)
    zones = all(p.base is not None and isinstance(items[p.base].asset, Zone) for p in goal.places)
    if pile and not (goal.relation == "inside" and zones):
        raise TaskError("a pile can only be swept inside a zone", "Use inside=zone")


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


def _check_path(goal: Goal) -> None:
    if len(goal.places) < 2:
        raise TaskError("the path has fewer than two corners", "Give more poses")
    corners = [place.pose for place in goal.places]
    length = sum(a.distance(b) for a, b in itertools.pairwise(corners))
    if not 0.93 * Rope.LENGTH <= length <= 1.01 * Rope.LENGTH:
        raise TaskError(
            f"the path is {length:.3f} m long, the rope {Rope.LENGTH} m",
            f"Make the path {0.93 * Rope.LENGTH:.3f} to {Rope.LENGTH} m long",
        )


def check_declared(items: Sequence[ItemSpec], goals: Sequence[Goal]) -> None:
    """Check that there are goals, and that each movable item has a part in one."""
    if not goals:
        raise TaskError("the task has no goal", "Declare one with scene.goal")
    used = {k for goal in goals for k in goal.items}
    used |= {place.base for goal in goals for place in goal.places if place.base is not None}
    for k, item in enumerate(items):
        if not (item.fixed or item.distractor or k in used):
            raise TaskError(
                f"the {item.asset} is neither a distractor nor part of a goal",
                "Add it with scene.distract, or leave it out",
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
