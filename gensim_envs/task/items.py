"""Handles to things in a scene, and the places that they stand for as arguments of a goal."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar

from gensim_envs.errors import TaskError
from gensim_envs.task.assets import Asset, Line
from gensim_envs.task.checks.sentences import plural
from gensim_envs.task.goals import Place, Relation
from gensim_envs.task.pose import Pose
from gensim_envs.task.spec import ItemSpec

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

    def __repr__(self) -> str:
        return f"<item: {self}>"


class Group(list[Item[A]]):
    """Several items; as text, their colour and noun in the plural."""

    def __str__(self) -> str:
        names = list(dict.fromkeys(str(item) for item in self))
        return " and ".join(plural(name) if len(self) > 1 else name for name in names)


def places_of(
    relation: Relation, value: Any, offset: Any, part: Any, facing: Any, items: Sequence[ItemSpec]
) -> tuple[tuple[Place, ...], int]:
    """The places that the arguments of `Scene.goal` stand for.

    Args:
        relation: of the goal.
        value: of the argument that is named like the relation.
        offset: one pose, or one for each place, in the frame of the base.
        part: a named part of the base, or one for each place.
        facing: a heading in the frame of the base, radians, or True for that of the poses.
        items: all of the scene.

    Returns:
        (places, number of alternative sets of places).
    """
    if relation in ("at", "along"):
        places, sets = _poses(relation, value, items)
    else:
        places, sets = _bases(relation, value, offset, part), 1
    if facing is not None and facing is not False:
        turn = None if facing is True else float(facing)
        places = [
            replace(p, heading=True, pose=p.pose if turn is None else replace(p.pose, yaw=turn))
            for p in places
        ]
    return tuple(places), sets


def _poses(relation: Relation, value: Any, items: Sequence[ItemSpec]) -> tuple[list[Place], int]:
    """Places of at= and along=: poses, marks and other fixed items, or sets of them."""
    if relation == "along" and isinstance(value, Item):
        value = _path(value)
    flat = list(value) if isinstance(value, Iterable) else [value]
    nested = [list(part) for part in flat if isinstance(part, (list, tuple))]
    if nested and (len(nested) != len(flat) or len({len(part) for part in nested}) != 1):
        raise TaskError(f"{relation}= mixes places and sets of places", "Give sets of equal size")
    values = list(itertools.chain(*nested)) if nested else flat
    places = [_place(relation, entry, items) for entry in values]
    return places, max(1, len(nested))


def _place(relation: Relation, value: Any, items: Sequence[ItemSpec]) -> Place:
    if isinstance(value, Item) and (relation == "along" or not value.fixed):
        if relation == "at":
            raise TaskError(f"the {value} is movable, so nothing is at it", "Use on= or next_to=")
        return Place(bases=(value.index,))
    pose = value.pose if isinstance(value, Item) else value
    if not isinstance(pose, Pose):
        raise TaskError(f"{relation}= got {pose!r:.60}", "Give poses or items")
    owner = pose.owner
    if owner is None:
        return Place(pose)
    if owner < 0:
        return Place(replace(pose, owner=None), pattern=-1 - owner)
    local = items[owner].start.inverse() @ pose
    shown = relation == "at" and items[owner].asset.shows_heading
    return Place(replace(local, owner=None), (owner,), heading=shown)


def _bases(relation: Relation, value: Any, offset: Any, part: Any) -> list[Place]:
    """Places of the relations to bases: one for each item, tuple of items or offset."""
    if relation == "between":
        return [Place(bases=_indices(value, relation))]
    if relation == "row":
        return [Place(bases=() if value is True else _indices(value, relation))]
    several = isinstance(value, Iterable) and not isinstance(value, tuple)
    groups = [_indices(v, relation) for v in (value if several else [value])]
    offsets = [Pose(0, 0)] if offset is None else list_of(offset, Pose, "offset=")
    parts = [part or ""] if part is None or isinstance(part, str) else list(part)
    if part == "ends":
        parts = ["first end", "second end"]
    count = max(len(groups), len(offsets), len(parts))
    if {len(groups), len(offsets), len(parts)} - {1, count}:
        raise TaskError(
            f"{len(groups)} bases, {len(offsets)} offsets and {len(parts)} parts",
            "Give one of each, or as many",
        )
    rows = (row * count if len(row) == 1 else row for row in (groups, offsets, parts))
    return [
        Place(replace(pose, owner=None), group, part=name, exact=offset is not None)
        for group, pose, name in zip(*rows, strict=True)
    ]


def _indices(value: Any, relation: Relation) -> tuple[int, ...]:
    return tuple(item.index for item in list_of(value, Item, f"{relation.replace(' ', '_')}="))


def _path(item: Item[Asset]) -> list[Pose]:
    if not isinstance(item.asset, Line):
        raise TaskError(f"the {item} is not a path", "Give a Line or poses")
    return [item.pose @ end for end in item.asset.path()]


def list_of(values: Any, kind: type[T], name: str) -> list[T]:
    """Return one value of a kind, or several, as a list."""
    flat = list(values) if isinstance(values, Iterable) else [values]
    for value in flat:
        if not isinstance(value, kind):
            poses = issubclass(kind, Pose)
            remedy = "Give poses" if poses else "Give items, as scene.add returns them"
            raise TaskError(f"{name} got {value!r:.60}", remedy)
    return flat
