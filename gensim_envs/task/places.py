"""The places that the arguments of `Scene.goal` stand for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, TypeVar

from gensim_envs.errors import TaskError
from gensim_envs.task.assets import Asset, Line
from gensim_envs.task.goals import Place, Relation
from gensim_envs.task.items import Item
from gensim_envs.task.pose import Pose

T = TypeVar("T")


def places_of(relation: Relation, value: Any, offset: Any) -> tuple[Place, ...]:
    """The places that the arguments of `Scene.goal` stand for."""
    if relation in ("at", "along"):
        if isinstance(value, Item):
            value = value.pose if relation == "at" else _path(value)
        poses = [value] if isinstance(value, Pose) else list_of(value, Pose, f"{relation}=")
        return tuple(Place(replace(pose, owner=None), pose.owner) for pose in poses)
    bases = [value] if isinstance(value, Item) else list_of(value, Item, f"{relation}=")
    offsets = (
        [Pose(0, 0)]
        if offset is None
        else ([offset] if isinstance(offset, Pose) else list_of(offset, Pose, "offset="))
    )
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
    flat = list(values) if isinstance(values, Iterable) else [values]
    for value in flat:
        if not isinstance(value, kind):
            raise TaskError(f"{name} got {value!r:.60}", "Give poses or items")
    return flat
