"""Handles to things in a scene, and the places that they stand for as arguments of a goal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Generic, TypeVar

from gensim_envs.errors import TaskError
from gensim_envs.task.assets import Asset, Line
from gensim_envs.task.checks.sentences import plural
from gensim_envs.task.goals import Place, Relation
from gensim_envs.task.pose import Pose

A = TypeVar("A", bound=Asset)
T = TypeVar("T")
Kind = TypeVar("Kind", bound=Asset, covariant=True)


class Item(Generic[Kind]):
    """A handle to one thing in the scene; as text it is its colour and noun."""

    def __init__(self, index: int, asset: Kind, fixed: bool) -> None:
        self.index = index
        self.asset = asset
        self.fixed = fixed
        self._pose: Pose | None = None

    @property
    def pose(self) -> Pose:
        """Where a fixed item stands.

        Raises:
            TaskError: for a movable item, which is placed only after `build` has returned.
        """
        if self._pose is None or not self.fixed:
            raise TaskError(
                f"the {self} is movable, so it has no pose of its own",
                "Refer to it by on=, inside= or items, or add it with fixed=True",
            )
        return replace(self._pose, owner=self.index)

    def __str__(self) -> str:
        return str(self.asset)


class Group(list[Item[A]]):
    """Several items; as text, their colour and noun in the plural."""

    def __str__(self) -> str:
        names = list(dict.fromkeys(str(item) for item in self))
        return " and ".join(plural(name) if len(self) > 1 else name for name in names)


def places_of(relation: Relation, value: Any, offset: Any) -> tuple[Place, ...]:
    """The places that the arguments of `Scene.goal` stand for."""
    if relation in ("at", "along"):
        if isinstance(value, Item):
            value = value.pose if relation == "at" else _path(value)
        poses = list_of(value, Pose, f"{relation}=")
        return tuple(Place(replace(pose, owner=None), pose.owner) for pose in poses)
    bases = list_of(value, Item, f"{relation}=")
    offsets = [Pose(0, 0)] if offset is None else list_of(offset, Pose, "offset=")
    if len(bases) > 1 and len(offsets) == 1:
        offsets = offsets * len(bases)
    if len(bases) == 1:
        bases = bases * len(offsets)
    if len(bases) != len(offsets):
        raise TaskError(
            f"{len(bases)} bases but {len(offsets)} offsets", "Give one offset or as many"
        )
    return tuple(Place(o, b.index) for o, b in zip(offsets, bases, strict=True))


def _path(item: Item[Asset]) -> list[Pose]:
    if not isinstance(item.asset, Line):
        raise TaskError(f"the {item} is not a path", "Give a Line or poses")
    return [item.pose @ end for end in item.asset.path()]


def list_of(values: Any, kind: type[T], name: str) -> list[T]:
    """Return one value of a kind, or several, as a list."""
    flat = list(values) if isinstance(values, Iterable) else [values]
    for value in flat:
        if not isinstance(value, kind):
            raise TaskError(f"{name} got {value!r:.60}", "Give poses or items")
    return flat
