"""The scene that `Task.build` describes: things, where they start, and goals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, TypedDict, TypeVar, Unpack, overload

import numpy as np

from gensim_envs.errors import TaskError, in_goal
from gensim_envs.task.assets.base import SPLIT_COLORS, Asset, asset_geometry
from gensim_envs.task.assets.household import SPLIT_OBJECTS, Household
from gensim_envs.task.assets.kit import SPLIT_SHAPES
from gensim_envs.task.assets.paint import Mark, Zone
from gensim_envs.task.assets.soft import Pile, Rope
from gensim_envs.task.checks.goals import (
    check_count,
    check_declared,
    check_goal,
    check_mark,
    check_number,
    check_pose,
    tolerances,
)
from gensim_envs.task.checks.sentences import with_articles
from gensim_envs.task.checks.specs import check_spec
from gensim_envs.task.free_space import FreeSpace
from gensim_envs.task.geometry import footprint
from gensim_envs.task.goals import GROUPS, REGIONS, Goal, Relation, Rule, Waypoint
from gensim_envs.task.items import Group, Item, list_of, places_of
from gensim_envs.task.patterns import Pattern
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
        self._specs: list[ItemSpec] = []
        self._waiting: list[int] = []  # indices of items that have no place yet
        self._goals: list[Goal] = []
        self._patterns: list[Pattern] = []
        self._rules: list[Rule] = []
        self._plan: list[Waypoint] = []
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
        return [Household(kind=kind) for kind in kinds]

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

    def distract(
        self, asset: A, count: int | None = None, **how: Unpack[_How]
    ) -> Item[A] | Group[A]:
        """Add things that no goal is about; options as for `add`."""
        added = self.add(asset, **how) if count is None else self.add(asset, count, **how)
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

    @overload
    def mark(self, what: Item[Asset] | Asset, at: Pose) -> Item[Mark]: ...

    @overload
    def mark(self, what: Item[Asset] | Asset, at: Sequence[Pose]) -> Group[Mark]: ...

    def mark(
        self, what: Item[Asset] | Asset, at: Pose | Sequence[Pose]
    ) -> Item[Mark] | Group[Mark]:
        """Paint the outline of something's footprint where it belongs, on the table or a fixed top.

        Nothing starts there. Use it with `at=` where nothing else shows the place.

        Args:
            what: what belongs there.
            at: one pose, or several.

        Returns:
            One mark, or a list of marks where `at` is a list.

        Raises:
            TaskError: where a mark would lie neither on the table nor on a fixed top.
        """
        asset = what.asset if isinstance(what, Item) else what
        if not isinstance(asset, Asset):
            raise TaskError(f"scene.mark got {asset!r:.60}", "Give an item or an asset")
        mark = Mark.of(asset)
        poses = [at] if isinstance(at, Pose) else list_of(at, Pose, "at=")
        for pose in poses:
            check_mark(self._specs, mark, pose)
        marks = Group([self._add(mark, pose, True, None) for pose in poses])
        return marks[0] if isinstance(at, Pose) else marks

    def pattern(self, anchor: Item[Asset] | None = None, *, mirror: bool = True) -> Pose:
        """A frame that may be anywhere on the table; only its poses among each other count.

        Compose it with poses, `circle @ Pose(0.1, 0)`, and use these with `at=`. The first goal of
        a pattern has at least two items, or the pattern has an anchor.

        Args:
            anchor: the item whose middle is the pattern's origin.
            mirror: whether the mirror image is as good; False where the instruction names a side.
        """
        if len(self._patterns) >= MAX_GOALS:
            raise TaskError("there are too many patterns", "Use fewer")
        index = list_of(anchor, Item, "anchor=")[0].index if anchor is not None else None
        self._patterns.append(Pattern(index, bool(mirror)))
        return Pose(0.0, 0.0, owner=-len(self._patterns))

    def goal(
        self,
        instruction: str,
        items: Item[Asset] | Sequence[Item[Asset]],
        *,
        at: Pose | Item[Asset] | Sequence[Any] | None = None,
        on: Item[Asset] | Sequence[Any] | None = None,
        inside: Item[Asset] | Sequence[Item[Asset]] | None = None,
        along: Item[Asset] | Sequence[Pose | Item[Asset]] | None = None,
        left_of: Item[Asset] | None = None,
        right_of: Item[Asset] | None = None,
        in_front_of: Item[Asset] | None = None,
        behind: Item[Asset] | None = None,
        next_to: Item[Asset] | None = None,
        between: Sequence[Item[Asset]] | None = None,
        around: Item[Asset] | None = None,
        row: bool | Item[Asset] | Sequence[Item[Asset]] | None = None,
        offset: Pose | Sequence[Pose] | None = None,
        part: str | Sequence[str] | None = None,
        facing: float | bool | None = None,
        only: bool = False,
        tolerance: float | None = None,
        yaw_tolerance: float | None = None,
    ) -> None:
        """Declare the next goal; goals are met in the order in which they are declared.

        Exactly one of `at` to `row` says where the items go. Equal items are exchangeable.
        Directions are those of the image from above.

        Args:
            instruction: the text that the policy reads.
            items: the item or items to move.
            at: where the picture shows that they belong: marks, poses of a kit, peg or corner,
                of a pattern, or a fixed item. Lists of lists are alternatives.
            on: the item that they go on, anywhere on its top; a list for one each; a tuple
                `(a, b)` for a thing that rests on all of these.
            inside: a bowl, container or zone that takes all the items, or several that take one
                each. `offset` then only tells the oracle where to put them.
            along: for a rope: the corners of its path, a `Line`, or things that it ends on.
            left_of: within 45 degrees of that direction and 15 cm, middle to middle.
            right_of: see `left_of`.
            in_front_of: below in the image.
            behind: above in the image.
            next_to: at most 3 cm away.
            between: in the middle third of the line between two items.
            around: evenly spaced around an item, at least three.
            row: `True` for items in a row with gaps of at most 3 cm; or other items of the row.
            offset: for `on`, where on it, in its frame, if the instruction or paint says so.
            part: for `on`, the "middle", an "end", the "edge", or "ends" for one item on each.
            facing: a heading in the frame of the base, radians, or `True` for that of the poses, if
                the instruction says so. Else it counts only where the picture shows it.
            only: whether nothing else may be in or on the place.
            tolerance: in the plane, metres; may only be tightened.
            yaw_tolerance: radians; may only be tightened.

        Raises:
            TaskError: naming what does not fit.
        """
        if len(self._goals) >= MAX_GOALS:
            raise TaskError(f"more than {MAX_GOALS} goals", "Declare fewer")
        given: dict[Relation, Any] = {
            "at": at, "on": on, "inside": inside, "along": along, "left of": left_of,
            "right of": right_of, "in front of": in_front_of, "behind": behind, "next to": next_to,
            "between": between, "around": around, "row": row,
        }  # fmt: skip
        with in_goal(len(self._goals) + 1):
            relation, value = _one_of(given)
            for name, option, allowed in (
                ("offset", offset, ("on", "inside")), ("part", part, ("on",)),
            ):  # fmt: skip
                if option is not None and relation not in allowed:
                    raise TaskError(f"{name}= cannot be combined with {relation}=", "Leave it out")
            if not isinstance(instruction, str):
                raise TaskError(
                    f"the instruction is {instruction!r:.60}, which is not a string",
                    "Give a string",
                )
            movers = tuple(item.index for item in list_of(items, Item, "items"))
            places, sets = places_of(relation, value, offset, part, facing, self._specs)
            limits = tolerances(self._specs, places)
            goal = Goal(
                with_articles(instruction), movers, relation, places, sets, bool(only),
                limits[0] if tolerance is None else tolerance,
                limits[1] if yaw_tolerance is None else yaw_tolerance,
            )  # fmt: skip
            check_goal(self._specs, self._patterns, self._goals, goal)
        self._goals.append(goal)

    def ordered(self) -> None:
        """Forbid that an item reaches its place before the goal that names it is current."""
        self._rules.append(Rule("ordered"))

    def never_on(
        self,
        above: Item[Asset] | Sequence[Item[Asset]],
        below: Item[Asset] | Sequence[Item[Asset]],
    ) -> None:
        """Forbid that anything of `above` stands on anything of `below`."""
        self._rules.append(Rule("never_on", _numbers(above), _numbers(below)))

    def stays_on(
        self,
        items: Item[Asset] | Sequence[Item[Asset]],
        base: Item[Asset] | Sequence[Item[Asset]],
    ) -> None:
        """Forbid that any of the items is put down elsewhere than on `base`, or on its pegs."""
        self._rules.append(Rule("stays_on", _numbers(items), _numbers(base)))

    def untouched(self, items: Item[Asset] | Sequence[Item[Asset]]) -> None:
        """Forbid that any of the items moves by more than 2 cm or 15 degrees."""
        self._rules.append(Rule("untouched", _numbers(items)))

    def plan(
        self, item: Item[Asset], *, at: Pose | None = None, on: Item[Asset] | None = None
    ) -> None:
        """Add a step to the plan of the oracle, which is never judged.

        Args:
            item: what to move next.
            at: where to.
            on: what to put it on.
        """
        given: dict[Relation, Any] = {"at": at, "on": on}
        relation, value = _one_of(given)
        places, _ = places_of(relation, value, None, None, None, self._specs)
        self._plan.append(Waypoint(list_of(item, Item, "item")[0].index, places[0]))

    def _add(self, asset: A, at: Pose | None, fixed: bool | None, after: int | None) -> Item[A]:
        if len(self._specs) >= MAX_ITEMS:
            raise TaskError(f"more than {MAX_ITEMS} items", "Add fewer")
        fixed = asset_geometry(asset).flat or bool(asset.fixed if fixed is None else fixed)
        item = Item(len(self._specs), asset, fixed)
        if isinstance(asset, (Rope, Pile)) and (fixed or at is not None):
            raise TaskError(
                f"the {asset} does not accept fixed= or at=", "Call scene.add without them"
            )
        if at is not None:
            check_pose("at=", at)
        start = Pose(0, 0) if at is None else replace(at, owner=None)
        if at is None and fixed:
            start = self._free.free_pose(asset_geometry(asset).outline, f"the {asset}")
        self._specs.append(ItemSpec(asset, start, fixed, after=after))
        if at is not None or fixed:
            item._pose = start
            self._free.take_asset(asset, start)
        else:
            self._waiting.append(item.index)
        return item

    def _finish(self, name: str) -> TaskSpec:
        """Place what is movable, largest first, and check everything that needs no physics."""
        check_declared(self._specs, self._goals, self._patterns, self._rules)
        self._free.take_targets(self._specs, self._goals)
        todo = sorted(self._waiting, key=lambda k: -math.prod(self._specs[k].asset.size[:2]))
        # What others are put beside comes first, so that there is room for them.
        bases = self._beside()
        for k in [k for k in todo if k in bases]:
            self._place(k)
        known = bases | set(range(len(self._specs))) - set(todo)
        self._free.take_sites(self._specs, self._goals, self._patterns, known)
        self._free.take_regions(self._specs, self._goals, known)
        for k in [k for k in todo if k not in bases]:
            self._place(k)
        spec = TaskSpec(
            name, self.split, tuple(self._specs), tuple(self._goals), tuple(self._patterns),
            tuple(self._rules), tuple(self._plan),
        )  # fmt: skip
        check_spec(spec)
        return spec

    def _beside(self) -> set[int]:
        """Things that stay where they start and beside which goals put others."""
        moved = {item for goal in self._goals for item in goal.items}
        bases = {p.anchor for p in self._patterns if p.anchor is not None}
        for goal in self._goals:
            if goal.relation in (*REGIONS, *GROUPS):
                bases |= goal.bases
        return bases - moved

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


def _one_of(given: Mapping[Relation, Any]) -> tuple[Relation, Any]:
    """The only relation that was given, and its value."""
    chosen = [(name, value) for name, value in given.items() if value is not None]
    if len(chosen) != 1:
        names = ", ".join(f"{name.replace(' ', '_')}=" for name in given)
        raise TaskError(f"expected exactly one of {names}; got {len(chosen)}", "Give exactly one")
    return chosen[0]


def _numbers(items: Item[Asset] | Sequence[Item[Asset]]) -> tuple[int, ...]:
    return tuple(item.index for item in list_of(items, Item, "items"))
