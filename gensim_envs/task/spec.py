"""One drawn task as plain data that survives a round trip through JSON."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, get_args

import numpy as np

from gensim_envs.errors import TaskError
from gensim_envs.task.assets import Asset, Geometry, asset_from_json, asset_geometry
from gensim_envs.task.goals import (
    POSITION_TOLERANCE,
    RELATIONS,
    YAW_TOLERANCE,
    Goal,
    Part,
    Place,
    Rule,
    Snapshot,
    Waypoint,
)
from gensim_envs.task.patterns import Pattern
from gensim_envs.task.pose import Pose

MAX_ITEMS = 60
MAX_GOALS = 40
MAX_PLACES = 100
MAX_SENTENCE = 300
"""Bytes of UTF-8."""
MAX_POSE = 100.0
"""No coordinate or angle of a pose is beyond this, metres or radians."""


@dataclass(frozen=True)
class ItemSpec:
    """One thing on the table.

    Attributes:
        asset: what it is.
        start: where it stands after reset; for a rope or pile, its middle.
        fixed: whether it is part of the table.
        distractor: whether no goal is about it.
        bodies: for ropes and piles, (x, y, yaw) of each bead or crumb in the world.
        after: index of the item that must be placed before this one appears, or None.
    """

    asset: Asset
    start: Pose
    fixed: bool = False
    distractor: bool = False
    bodies: tuple[tuple[float, float, float], ...] = ()
    after: int | None = None


@dataclass(frozen=True)
class TaskSpec:
    """A scene and its goals.

    Attributes:
        name: class name of the task.
        split: "train" or "test".
        items: everything on the table.
        goals: in the order in which they are to be met.
        patterns: frames of places that may be anywhere.
        rules: what must hold during the whole episode.
        plan: steps that the oracle takes; empty where it needs none.
    """

    name: str
    split: str
    items: tuple[ItemSpec, ...]
    goals: tuple[Goal, ...]
    patterns: tuple[Pattern, ...] = ()
    rules: tuple[Rule, ...] = ()
    plan: tuple[Waypoint, ...] = ()

    def geometry(self, item: int) -> Geometry:
        """Footprint and extents of an item."""
        return asset_geometry(self.items[item].asset)

    @property
    def bounds(self) -> dict[str, int]:
        """Rigid bodies, slots, places of the largest goal, and actions of a demonstrator."""
        first = [(goal, self.items[goal.items[0]].asset) for goal in self.goals]
        return {
            "items": sum(max(1, len(item.bodies)) for item in self.items),
            "places": sum(len(item.asset.slots) for item in self.items),
            "targets": max(
                asset.bodies if goal.relation == "along" else len(goal.places)
                for goal, asset in first
            ),
            # A rope or a pile takes several moves, about ten when they are well chosen.
            "steps": max(
                len(self.plan),
                sum(10 if asset.bodies > 1 else len(goal.items) for goal, asset in first),
            ),
        }

    def start_snapshot(self) -> Snapshot:
        """The state after reset."""
        return self._start

    @cached_property
    def _start(self) -> Snapshot:
        return Snapshot(
            poses=tuple(item.start for item in self.items),
            tilts=(0.0,) * len(self.items),
            bodies={
                k: np.array([(x, y, item.asset.height / 2) for x, y, _ in item.bodies])
                for k, item in enumerate(self.items)
                if item.bodies
            },
            contacts={},
        )

    def to_json(self) -> dict[str, Any]:
        """Plain data; the type of each asset is in its "type"."""
        data = asdict(self)
        for row, item in zip(data["items"], self.items, strict=True):
            row["asset"]["type"] = type(item.asset).__name__
        return data

    @classmethod
    def from_json(cls, data: Any) -> TaskSpec:
        """The inverse of `to_json`, for data that may come from a hostile program.

        Raises:
            TaskError: where anything is of the wrong type, not finite or out of range.
        """
        try:
            rows = _some(data["items"], MAX_ITEMS)
            items = tuple(_item_from_json(row, len(rows)) for row in rows)
            goals = tuple(
                _goal_from_json(goal, len(items)) for goal in _some(data["goals"], MAX_GOALS)
            )
            spec = cls(
                _text(data["name"]),
                _text(data["split"]),
                items,
                goals,
                tuple(_pattern(row, len(items)) for row in _some(data["patterns"], MAX_GOALS, 0)),
                tuple(_rule(row, len(items)) for row in _some(data["rules"], MAX_GOALS, 0)),
                tuple(
                    Waypoint(_index(row["item"], len(items)), _place(row["place"], len(items)))
                    for row in _some(data["plan"], MAX_PLACES, 0)
                ),
            )
        except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            raise TaskError(
                f"the task spec is malformed: {type(error).__name__} {error}"
            ) from error
        for goal in goals:
            bodies = [len(items[i].bodies) for i in goal.items]
            if any(bodies) and len(bodies) != 1:
                raise TaskError("a goal over several ropes or piles", "Give each its own goal")
            if goal.relation == "along" and not bodies[0]:
                raise TaskError("only a rope can lie along a path")
            if goal.relation in ("on", "inside") and any(p.base is None for p in goal.places):
                raise TaskError(f"a goal {goal.relation!r} without a base")
        return spec


def _some(values: Any, most: int, least: int = 1) -> list[Any]:
    if not isinstance(values, list) or not least <= len(values) <= most:
        raise ValueError(f"expected a list of {least} to {most} entries")
    return values


def _text(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value.encode()) <= MAX_SENTENCE:
        raise ValueError(f"expected a text of at most {MAX_SENTENCE} bytes")
    return value


def _number(value: Any, most: float = 10.0) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("expected a number")
    if not math.isfinite(value) or abs(value) > most:
        raise ValueError(f"{value} is not a number within {most}")
    return float(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("expected true or false")
    return value


def _index(value: Any, count: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < count:
        raise ValueError(f"expected an index below {count}")
    return value


def _pose_from_json(data: Any) -> Pose:
    if data["owner"] is not None:
        raise ValueError("a pose of a spec has no owner")
    x, y, z, yaw = (_number(data[axis], MAX_POSE) for axis in ("x", "y", "z", "yaw"))
    return Pose(x, y, z, yaw)


def _item_from_json(data: Any, count: int) -> ItemSpec:
    asset = asset_from_json(data["asset"])
    bodies = tuple(
        (_number(x), _number(y), _number(yaw)) for x, y, yaw in _some(data["bodies"], 100, 0)
    )
    if len(bodies) != (asset.bodies if asset.bodies > 1 else 0):
        raise ValueError(f"{type(asset).__name__} has {len(bodies)} bodies")
    after = data["after"]
    return ItemSpec(
        asset,
        _pose_from_json(data["start"]),
        _flag(data["fixed"]),
        _flag(data["distractor"]),
        bodies,
        None if after is None else _index(after, count),
    )


def _goal_from_json(data: Any, count: int) -> Goal:
    relation = data["relation"]
    if relation not in RELATIONS:
        raise ValueError(f"unknown relation {relation!r}")
    places = tuple(_place(place, count) for place in _some(data["places"], MAX_PLACES))
    sets = _index(data["alternatives"], MAX_PLACES)
    if not sets or len(places) % sets:
        raise ValueError(f"{len(places)} places in {sets} sets")
    return Goal(
        _text(data["instruction"]),
        tuple(_index(item, count) for item in _some(data["items"], MAX_ITEMS)),
        relation,
        places,
        sets,
        _flag(data["only"]),
        _number(data["position_tolerance"], POSITION_TOLERANCE),
        _number(data["yaw_tolerance"], YAW_TOLERANCE),
    )


def _place(data: Any, count: int) -> Place:
    part = data["part"]
    if part not in get_args(Part):
        raise ValueError(f"unknown part {part!r}")
    return Place(
        _pose_from_json(data["pose"]),
        tuple(_index(base, count) for base in _some(data["bases"], 20, 0)),
        None if data["pattern"] is None else _index(data["pattern"], MAX_GOALS),
        part,
        _flag(data["exact"]),
        _flag(data["heading"]),
    )


def _pattern(data: Any, count: int) -> Pattern:
    anchor = data["anchor"]
    return Pattern(None if anchor is None else _index(anchor, count), _flag(data["mirror"]))


def _rule(data: Any, count: int) -> Rule:
    if data["kind"] not in ("ordered", "never_on", "stays_on", "untouched"):
        raise ValueError(f"unknown rule {data['kind']!r}")
    items, others = (
        tuple(_index(item, count) for item in _some(data[name], MAX_ITEMS, 0))
        for name in ("items", "others")
    )
    return Rule(data["kind"], items, others)
