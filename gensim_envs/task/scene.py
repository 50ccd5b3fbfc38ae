"""The scene that `Task.build` describes: things, where they start, and goals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, TypedDict, TypeVar, Unpack, overload

import numpy as np

from gensim_envs.errors import TaskError, in_goal
from gensim_envs.task.assets.base import SPLIT_COLORS, Asset, asset_geometry
from gensim_envs.task.assets.household import OBJECTS, SPLIT_OBJECTS, Household
from gensim_envs.task.assets.kit import SPLIT_SHAPES
from gensim_envs.task.assets.paint import Zone
from gensim_envs.task.assets.soft import Pile, Rope
from gensim_envs.task.checks.goals import (
    check_count,
    check_declared,
    check_goal,
    check_number,
    check_pose,
)
from gensim_envs.task.checks.specs import check_spec
from gensim_envs.task.free_space import FreeSpace
from gensim_envs.task.geometry import footprint
from gensim_envs.task.goals import POSITION_TOLERANCE, YAW_TOLERANCE, Goal, Relation
from gensim_envs.task.items import Group, Item, list_of, places_of
from gensim_envs.task.pose import Pose
from gensim_envs.task.spec import MAX_GOALS, MAX_ITEMS, ItemSpec, TaskSpec

A = TypeVar("A", bound=Asset)


class _How(TypedDict, total=False):
    """Options of `Scene.add`."""

    at: Pose | None
    fixed: bool | None
    one_by_one: bool


class Task:
    """Base of every task: give it a docstring and a `build`.

    The first line of the docstring is the task's summary. Raise `version` when a change makes
    episodes differ from before.
    """

    version: ClassVar[int] = 0

    def build(self, scene: Scene) -> None:
        """Describe the scene and its goals on `scene`; return nothing."""
        raise NotImplementedError(f"{type(self).__name__} has no build")


class Scene:
    """What `build` writes to.

    Attributes:
        rng: the only source of randomness.
        split: "train" or "test".
    """

    def __init__(self, split: str, rng: np.random.Generator) -> None:
        self.rng = rng
        self.split = split
        self._items: list[Item[Asset]] = []
        self._specs: list[ItemSpec] = []
        self._goals: list[Goal] = []
        self._free = FreeSpace(rng)

    def colors(self, count: int, exclude: Sequence[str] = ()) -> list[str]:
        """`count` distinct colour names of the split, in random order, none of `exclude`."""
        return self._some("colors", SPLIT_COLORS, count, exclude)

    def shapes(self, count: int, exclude: Sequence[str] = ()) -> list[str]:
        """`count` distinct shapes of kit pieces of the split, in random order."""
        return self._some("shapes", SPLIT_SHAPES, count, exclude)

    def objects(self, count: int, exclude: Sequence[str] = ()) -> list[Household]:
        """`count` distinct kinds of household objects of the split, each in its usual colour."""
        kinds = self._some("objects", SPLIT_OBJECTS, count, exclude)
        return [Household(OBJECTS[kind]["color"], kind) for kind in kinds]

    def _some(
        self, what: str, of: Mapping[str, Sequence[str]], count: int, exclude: Sequence[str]
    ) -> list[str]:
        names = [name for name in of[self.split] if name not in exclude]
        count = check_count(f"the number of {what}", count)
        if count > len(names):
            raise TaskError(
                f"{count} distinct {what} asked for, the split has {len(names)}", "Ask for fewer"
            )
        return [names[k] for k in self.rng.permutation(len(names))[:count]]

    @overload
    def add(self, asset: A, count: None = None, **how: Unpack[_How]) -> Item[A]: ...

    @overload
    def add(self, asset: A, count: int, **how: Unpack[_How]) -> Group[A]: ...

    def add(
        self,
        asset: A,
        count: int | None = None,
        *,
        at: Pose | None = None,
        fixed: bool | None = None,
        one_by_one: bool = False,
    ) -> Item[A] | Group[A]:
        """Put an asset, or `count` of it, on the table.

        Args:
            asset: what to add.
            count: how many; the result is then a list of items.
            at: where it starts; without it a free place is drawn.
            fixed: whether it is part of the table; by default as its class says.
            one_by_one: of `count` items the next appears, where the first stood, when the last
                one has been placed.

        Returns:
            One item, or a list where `count` is given.

        Raises:
            TaskError: where there is no room for a fixed item, or there are too many items.
        """
        if not isinstance(asset, Asset):
            raise TaskError(f"scene.add got {asset!r:.60}", 'Give an asset such as Block("red")')
        if count is None:
            return self._add(asset, at, fixed, None)
        count = check_count("count", count)
        group: Group[A] = Group()
        for _ in range(count):
            before = group[-1].index if one_by_one and group else None
            group.append(self._add(asset, at, fixed, before))
        return group

    def distract(self, asset: A, count: int | None = None) -> Item[A] | Group[A]:
        """Add things that no goal is about."""
        added = self.add(asset) if count is None else self.add(asset, count)
        for item in [added] if isinstance(added, Item) else added:
            self._specs[item.index] = replace(self._specs[item.index], distractor=True)
        return added

    def reserve(self, *, radius: float, margin: float = 0.0) -> Pose:
        """Find a free disc on the table and keep it free of everything that is placed.

        Args:
            radius: of the disc, metres.
            margin: further distance that its middle keeps from the edge of the table, metres.

        Returns:
            Its middle, with a random heading.
        """
        check_number("the radius to reserve", radius, 0.005, 0.25)
        check_number("its margin", margin, 0.0, 0.25)
        disc = asset_geometry(Zone("red", width=2 * radius, shape="round")).outline
        pose = self._free.free_pose(disc, f"a reserved disc of {radius} m", margin)
        self._free.take(footprint(disc, pose))
        return pose

    def goal(
        self,
        instruction: str,
        items: Item[Asset] | Sequence[Item[Asset]],
        *,
        at: Pose | Item[Asset] | Sequence[Pose] | None = None,
        on: Item[Asset] | Sequence[Item[Asset]] | None = None,
        inside: Item[Asset] | Sequence[Item[Asset]] | None = None,
        along: Item[Asset] | Sequence[Pose] | None = None,
        offset: Pose | Sequence[Pose] | None = None,
        fully: bool = False,
        tolerance: float = POSITION_TOLERANCE,
        yaw_tolerance: float = YAW_TOLERANCE,
    ) -> None:
        """Declare the next goal; goals are met in the order in which they are declared.

        Exactly one of `at`, `on`, `inside`, `along` says where the items go.

        Args:
            instruction: the sentence that the policy reads.
            items: the item or items to move; equal ones are interchangeable.
            at: the pose or poses where they belong, or a fixed item to stand at.
            on: the item or items that they go on; `offset` tells where on it, in its
                own frame, by default in its middle.
            inside: a bowl, container or zone that takes all the items, or several that take one
                each. `offset` then only tells the oracle where to put them.
            along: for a rope: the corners of the path that it follows, or a `Line`.
            offset: see `on` and `inside`; one pose, or one for each item.
            fully: for a zone: the whole footprint must be inside, not only its centre.
            tolerance: in the plane, metres; may only be tightened.
            yaw_tolerance: radians; may only be tightened.

        Raises:
            TaskError: naming what does not fit.
        """
        if len(self._goals) >= MAX_GOALS:
            raise TaskError(f"more than {MAX_GOALS} goals", "Declare fewer")
        given: dict[Relation, Any] = {"at": at, "on": on, "inside": inside, "along": along}
        with in_goal(len(self._goals) + 1):
            chosen = {name: value for name, value in given.items() if value is not None}
            if len(chosen) != 1:
                raise TaskError(
                    f"expected exactly one of at=, on=, inside=, along=; got {len(chosen)}",
                    "Give exactly one",
                )
            relation, value = next(iter(chosen.items()))
            if offset is not None and relation not in ("on", "inside"):
                raise TaskError(f"offset= cannot be combined with {relation}=", "Leave it out")
            if fully and relation != "inside":
                raise TaskError(f"fully= cannot be combined with {relation}=", "Leave it out")
            if not isinstance(instruction, str):
                raise TaskError(
                    f"the instruction is {instruction!r:.60}, which is not a string",
                    "Give a string",
                )
            movers = tuple(item.index for item in list_of(items, Item, "items"))
            places = places_of(relation, value, offset)
            goal = Goal(
                instruction, movers, relation, places, bool(fully), tolerance, yaw_tolerance
            )
            check_goal(self._specs, goal)
        self._goals.append(goal)

    def _add(self, asset: A, at: Pose | None, fixed: bool | None, after: int | None) -> Item[A]:
        if len(self._items) >= MAX_ITEMS:
            raise TaskError(f"more than {MAX_ITEMS} items", "Add fewer")
        fixed = type(asset).fixed if fixed is None else bool(fixed)
        if asset_geometry(asset).flat:
            fixed = True
        item = Item(len(self._items), asset, fixed)
        if isinstance(asset, (Rope, Pile)) and (fixed or at is not None):
            raise TaskError(
                f"the {asset} does not accept fixed= or at=", "Call scene.add without them"
            )
        if at is not None:
            check_pose("at=", at)
        start = Pose(0, 0) if at is None else replace(at, owner=None)
        if at is None and fixed:
            start = self._free.free_pose(asset_geometry(asset).outline, f"the {asset}")
        self._items.append(item)
        self._specs.append(ItemSpec(asset, start, fixed, after=after))
        if at is not None or fixed:
            item._pose = start
            self._free.take_asset(asset, start)
        return item

    def _finish(self, name: str) -> TaskSpec:
        """Place what is movable, largest first, and check everything that needs no physics."""
        check_declared(self._specs, self._goals)
        self._free.take_targets(self._specs, self._goals)
        todo = [item.index for item in self._items if item._pose is None]
        for k in sorted(todo, key=lambda k: -math.prod(self._specs[k].asset.size[:2])):
            self._place(k)
        spec = TaskSpec(name, self.split, tuple(self._specs), tuple(self._goals))
        check_spec(spec)
        return spec

    def _place(self, k: int) -> None:
        item = self._specs[k]
        if item.after is not None:
            # It appears where the one before it stood, so it needs no room of its own.
            start = self._specs[item.after].start
            self._specs[k] = replace(item, start=start)
            return
        if isinstance(item.asset, Rope):
            start, bodies = self._free.lay_rope(item.asset)
        else:
            start = self._free.free_pose(asset_geometry(item.asset).outline, f"the {item.asset}")
            bodies = self._free.heap(item.asset, start) if isinstance(item.asset, Pile) else ()
            self._free.take_asset(item.asset, start)
        self._specs[k] = replace(item, start=start, bodies=bodies)
