"""One drawn task as plain data that survives a round trip through JSON."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from functools import cache, cached_property, lru_cache
from typing import Annotated, Any

import numpy as np
import shapely

from gensim_envs.errors import TaskError
from gensim_envs.task.assets import Asset, Geometry, Rope, asset_from_json, asset_geometry
from gensim_envs.task.geometry import footprint
from gensim_envs.task.goals import BASES, Goal, Instruction, Rule, Snapshot, Waypoint
from gensim_envs.task.patterns import Pattern
from gensim_envs.task.pose import Pose, PoseField
from gensim_envs.utils.decode import DecodeError, Range, Size, Using, decode

MAX_ITEMS = 60
MAX_BODIES = 250
"""Rigid bodies of a scene, those of ropes and piles included: more take minutes to simulate."""
MAX_MESHES = 25
"""Items of a scene that are meshes, which are slow to load."""
MAX_GOALS = 40
MAX_PLACES = 100
MAX_SENTENCE = 300
"""Bytes of UTF-8."""
_Metres = Annotated[float, Range(-10, 10)]


@lru_cache(maxsize=1024)  # judges ask for those of a state many times
def _footprint(asset: Asset, pose: Pose) -> shapely.Polygon:
    return footprint(asset_geometry(asset).outline, pose)


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

    asset: Annotated[Asset, Using(asset_from_json)]
    start: PoseField
    fixed: bool = False
    distractor: bool = False
    bodies: Annotated[tuple[tuple[_Metres, _Metres, _Metres], ...], Size(0, 100)] = ()
    after: Annotated[int | None, Range(0, 59)] = None


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

    name: Instruction
    split: Instruction
    items: Annotated[tuple[ItemSpec, ...], Size(1, MAX_ITEMS)]
    goals: Annotated[tuple[Goal, ...], Size(1, MAX_GOALS)]
    patterns: Annotated[tuple[Pattern, ...], Size(0, MAX_GOALS)] = ()
    rules: Annotated[tuple[Rule, ...], Size(0, MAX_GOALS)] = ()
    plan: Annotated[tuple[Waypoint, ...], Size(0, MAX_PLACES)] = ()

    def geometry(self, item: int) -> Geometry:
        """Footprint and extents of an item."""
        return asset_geometry(self.items[item].asset)

    def footprint(self, item: int, pose: Pose) -> shapely.Polygon:
        """The area on the table of an item that stands upright at a pose."""
        return _footprint(self.items[item].asset, pose)

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

    @cached_property
    def start_snapshot(self) -> Snapshot:
        """The state after reset."""
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
        data: dict[str, Any] = _plain(self)
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
            spec = decode(cls, data)
        except DecodeError as error:
            raise TaskError(f"the task spec is malformed: {error}") from None
        spec._check_indices()
        for item in spec.items:
            if len(item.bodies) != (item.asset.bodies if item.asset.bodies > 1 else 0):
                raise TaskError(f"the {item.asset} has {len(item.bodies)} bodies")
        for goal in spec.goals:
            low, high = BASES[goal.relation]
            if not all(low <= len(place.bases) <= high for place in goal.places):
                raise TaskError(f"a goal {goal.relation!r} has too few or too many bases")
            if len(goal.places) % goal.alternatives:
                raise TaskError("alternative sets of places differ in size")
            soft = [item for item in goal.items if spec.items[item].bodies]
            rope = [item for item in soft if isinstance(spec.items[item].asset, Rope)]
            if (soft and len(goal.items) > 1) or (goal.relation == "along") != bool(rope):
                raise TaskError(
                    "a rope or pile has a goal of its own, and a rope lies along a path"
                )
            if goal.relation == "along" and len(goal.places) < 2:
                raise TaskError("a path has a single corner", "Give it two or more")
        return spec

    def _check_indices(self) -> None:
        """Check that what is referred to by its number is there."""
        places = [place for goal in self.goals for place in goal.places]
        places += [step.place for step in self.plan]
        used = [k for place in places for k in place.bases]
        used += [k for goal in self.goals for k in goal.items]
        used += [k for rule in self.rules for k in (*rule.items, *rule.others)]
        used += [step.item for step in self.plan]
        used += [item.after for item in self.items if item.after is not None]
        used += [pattern.anchor for pattern in self.patterns if pattern.anchor is not None]
        patterns = [place.pattern for place in places if place.pattern is not None]
        if max(used) >= len(self.items) or max(patterns, default=-1) >= len(self.patterns):
            raise TaskError("the task spec refers to an item or a pattern that is not there")


def _plain(value: Any) -> Any:
    """What `dataclasses.asdict` gives, in a third of its time: a draw spends a fifth in it."""
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    kind: Any = type(value)
    names = _names(kind)
    return {name: _plain(getattr(value, name)) for name in names} if names else value


@cache
def _names(kind: type) -> tuple[str, ...]:
    """The fields of a dataclass; none of any other type."""
    return tuple(each.name for each in fields(kind)) if is_dataclass(kind) else ()
