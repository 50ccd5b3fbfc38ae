"""Read the targets of a recorded program as relations, goal by goal.

What a target rests on follows from what earlier goals have put there; heights are ignored. A target
that no thing shows becomes a painted mark.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import shapely

from gensim_envs.errors import TaskError, in_goal
from gensim_envs.generation.importing.layout import Entry, Layout, Spot, sentence_of
from gensim_envs.task.assets import Asset, Ball, Corner, Ell, Fixture, Rope, Zone, asset_geometry
from gensim_envs.task.assets.solids import ELL
from gensim_envs.task.geometry import footprint
from gensim_envs.task.goals import NEIGHBOUR_GAP
from gensim_envs.task.pose import Pose

Relation = Literal["inside", "on", "mark", "corner", "at", "beside", "along"]
_STACKS = re.compile(
    r"\b(stack\w*|top|tower|atop|above|pyramid|upon|over|across|bridge|wall|layers?|levels?|column"
    r"|castle|house|structure|balanc\w*|build\w*|construct\w*)\b"
)
_BESIDE = re.compile(r"\b(next to|beside|adjacent|besides|alongside)\b")
_ARRANGES = re.compile(
    r"\b(left|right|order|ordered|sequence|sequentially|rows?|columns?|lines?|aligned|circle|ring"
    r"|triangle|grid|pattern|checkerboard|ladder|diagonal\w*|symmetr\w*|evenly|spaced|alternat\w*"
    r"|side by side|apart|adjacent)\b"
)
_CROSSING = Pose(ELL[1] / 2 - ELL[2], ELL[1] / 2 - ELL[2])
"""Where the arms of a fixture cross, which is its origin there; ours is its centroid."""
_REACH = 0.06
"""Metres from a painted corner, line or fixture within which it shows a place."""


@dataclass(frozen=True)
class Placement:
    """Where one item goes.

    Attributes:
        item: index of the thing.
        relation: to its bases.
        bases: indices of things; empty for a mark.
        spot: of a mark, or where on its base the old program put it.
    """

    item: int
    relation: Relation
    bases: tuple[int, ...]
    spot: Spot


@dataclass
class Goal:
    """A goal of the translated task.

    Attributes:
        sentence: with `{0}` for drawn words; None where the old program has none.
        placements: one for each item; all have the same relation.
        number: of the old goal, from 1.
    """

    sentence: str | None
    placements: list[Placement]
    number: int

    @property
    def relation(self) -> Relation:
        """Of all of its items."""
        return self.placements[0].relation

    @property
    def items(self) -> list[int]:
        """Indices of the things that it moves."""
        return [p.item for p in self.placements]

    @property
    def bases(self) -> list[int]:
        """Indices of the things to which it moves them, each once."""
        return list(dict.fromkeys(base for p in self.placements for base in p.bases))


@dataclass
class Derivation:
    """Reads the goals of a layout one by one."""

    layout: Layout
    goals: list[Goal] = field(default_factory=list)
    _at: dict[int, Spot] = field(default_factory=dict)  # where each thing stands by now
    _height: dict[int, float] = field(default_factory=dict)  # of each item's last target
    _moved: set[int] = field(default_factory=set)
    _loaded: dict[int, set[int]] = field(default_factory=dict)  # thing -> what it was put on

    def run(self) -> list[Goal]:
        """All goals.

        Raises:
            TaskError: naming what cannot be read.
        """
        for k, entry in enumerate(self._entries):
            start = entry.start
            self._at[k] = Spot(("thing", k), Pose(0, 0)) if start is None else self._now(start)
        part_of = {part: k for k, e in enumerate(self._entries) for part in e.thing.parts}
        for number in range(len(self.layout.recordings[0].goals)):
            with in_goal(number + 1):
                self._read(number, part_of)
        if not self.goals:
            raise TaskError("no goal moves anything", cause="spec")
        self._show()
        self._reorder()
        return self.goals

    @property
    def _entries(self) -> list[Entry]:
        return self.layout.entries

    def _now(self, spot: Spot) -> Spot:
        """A spot in the frame that it hangs on in the end; what has moved is meant where it is."""
        kind, k = spot.root
        return Spot(self._at[k].root, self._at[k].pose @ spot.pose) if kind == "thing" else spot

    # --- one old goal ---------------------------------------------------------------------

    def _read(self, number: int, part_of: dict[int, int]) -> None:
        rows = [recording.goals[number] for recording in self.layout.recordings]
        old = rows[0]
        sentence = sentence_of(self.layout, [row.sentence for row in rows])
        text = (sentence or "").lower()
        if not old.objs or not part_of.keys() >= set(old.objs):
            raise TaskError("it has no items, or unknown ones")
        items = list(dict.fromkeys(part_of[obj] for obj in old.objs))
        first = self._entries[items[0]].asset
        if isinstance(first, Rope) and len(items) == 1:
            self.goals.append(self._path(number, sentence, items[0]))
            return
        if not old.targets:
            raise TaskError("it has no target")
        if first.bodies > 1 and len(items) == 1:
            spot = self._target(number, 0)
            zone = self._base(self._now(spot), text, items[0], Zone)
            if zone is None:
                raise TaskError("a pile is swept where there is no zone")
            place = Placement(items[0], "inside", (zone,), spot)
            self.goals.append(Goal(sentence, [place], number + 1))
            return
        targets = {n: self._target(number, n) for n in range(len(old.targets))}
        placed: list[Placement] = []
        level: dict[int, int] = {}  # how many things of this goal are below each
        for item, n in _pair(items, len(targets), old.matches).items():
            self._height[item] = old.targets[n][2]
            placement = self._place(item, targets[n], text)
            if placement is None:
                self.layout.notes.append(
                    f"goal {number + 1} leaves the {self._entries[item].asset} where it starts"
                )
                continue
            placed.append(placement)
            level[item] = 1 + max((level.get(base, -1) for base in placement.bases), default=-1)
            if placement.relation == "on":
                self._loaded[item] = {*self._loaded.get(item, ()), *placement.bases}
            self._at[item] = self._now(placement.spot)
            self._moved.add(item)
        split = not all(all(row) for row in old.matches)
        for n in sorted(set(level.values())):
            same = [p for p in placed if level[p.item] == n]
            for part in _groups(same, split, self._entries):
                self.goals.append(Goal(sentence, part, number + 1))

    def _target(self, number: int, n: int) -> Spot:
        return self.layout.spot([r.goals[number].targets[n] for r in self.layout.recordings])

    def _path(self, number: int, sentence: str | None, rope: int) -> Goal:
        """A rope's path: a side of something painted, or between two things."""
        rows = [recording.things[rope].corners for recording in self.layout.recordings]
        ends = [self.layout.spot([row[k] for row in rows]) for k in (0, 1)]
        if ends[0].root != ends[1].root:
            ends = self._spanned(rope, ends)
        bases = [(end.root[1],) if end.root[0] == "thing" else () for end in ends]
        places = [Placement(rope, "along", *each) for each in zip(bases, ends, strict=True)]
        return Goal(sentence, places, number + 1)

    def _spanned(self, rope: int, ends: list[Spot]) -> list[Spot]:
        """Ends of a rope on two things: the second starts where the rope reaches."""
        things = [end.root[1] for end in ends]
        free = all(
            end.root[0] == "thing" and self._entries[k].start is None and k not in self._moved
            for k, end in zip(things, ends, strict=True)
        )
        if not free:
            raise TaskError("the ends of a rope are at unrelated places")
        self._entries[rope].asset = Rope(self._entries[rope].asset.color)
        # A rope ends at the sides of things that stand up.
        sizes = [asset_geometry(self._entries[k].asset) for k in things]
        gaps = [0.0 if g.flat else g.size[0] / 2 + Rope.BEAD / 2 + 0.002 for g in sizes]
        away = round((Rope.LENGTH + sum(gaps)) / 2, 4)
        for k, x in zip(things, (-away, away), strict=True):
            self._at[k] = self._entries[k].start = Spot(("island", -1 - things[0]), Pose(x, 0.0))
        self.layout.notes.append(
            f"the {self._entries[things[1]].asset} starts where the rope reaches"
        )
        return [Spot(("thing", k), Pose(0.0, 0.0)) for k in things]

    # --- one target -----------------------------------------------------------------------

    def _place(self, item: int, spot: Spot, text: str) -> Placement | None:
        """Where an item goes; None where it starts there."""
        if spot.root == ("thing", item) and math.hypot(spot.pose.x, spot.pose.y) < 0.01:
            if item not in self._moved:
                return None
            spot = self._at[item]
        held = self._now(spot)
        below = self._supporters(item, held, text)
        if below:
            return Placement(item, "on", below, spot)
        base = self._base(held, text, item)
        if base is None:
            return self._loose(item, spot, text)
        asset = self._entries[base].asset
        if asset.opening is not None:
            return Placement(item, "inside", (base,), spot)
        if isinstance(asset, Corner):
            return Placement(item, "corner", (base,), spot)
        if asset.slots:
            fits = isinstance(asset, Fixture) == isinstance(self._entries[item].asset, Ell)
            shown = asset.shows(self._offset(base, held), self._entries[item].asset)
            if fits and (shown or isinstance(asset, Fixture)):
                return Placement(item, "at", (base,), spot)
            if isinstance(asset, Fixture) and spot.root == ("thing", base):
                spot = replace(spot, pose=spot.pose @ _CROSSING)
            return Placement(item, "mark", (), spot)
        return Placement(item, "on", (base,), spot)

    def _offset(self, base: int, held: Spot) -> Pose:
        return self._at[base].pose.inverse() @ held.pose

    def _supporters(self, item: int, held: Spot, text: str) -> tuple[int, ...]:
        """What earlier goals have put where an item goes, and can carry it; the highest."""
        own = self._shape(item, held.pose)
        found = []
        for other in self._moved - {item}:
            at, asset = self._at[other], self._entries[other].asset
            if at.root != held.root or asset.opening or asset.bodies > 1:
                continue
            shape = self._shape(other, at.pose)
            overlap = shape.intersection(own).area / min(shape.area, own.area)
            if overlap > 0.12:
                found.append(other)
        if not found:
            return ()
        # Balls carry nothing: what goes where one is, goes beside it in the same holder.
        solid = [k for k in found if not isinstance(self._entries[k].asset, Ball)]
        around = self._around(held, item)
        told = _STACKS.search(text) or self._says(text, solid) or self._above(item, solid)
        if around is not None and not told:
            crossed = isinstance(around, Zone) and text and not _is_named(around, text)
            if not crossed:
                return ()
        if not solid:
            if around is not None:
                return ()
            raise TaskError("it stacks things on a ball, where nothing holds")
        carried = {base for k in solid for base in self._loaded.get(k, ())}
        top = [k for k in solid if k not in carried] or solid
        middle = shapely.Point(held.pose.x, held.pose.y)
        central = [
            k for k in top if self._shape(k, self._at[k].pose).buffer(-0.006).contains(middle)
        ]
        if len(central) == 1 or len(top) == 1:
            return ((central or top)[0],)
        return tuple(sorted(top))[:4]

    def _above(self, item: int, others: Iterable[int]) -> bool:
        """Whether the old heights, though nothing judged them, put an item over all of others."""
        heights = {k: self._entries[k].asset.height for k in others}
        return bool(heights) and all(
            self._height[item] - self._height[k] > 0.6 * height for k, height in heights.items()
        )

    def _says(self, text: str, items: Iterable[int]) -> bool:
        """Whether a sentence puts something on one of these items."""
        nouns = {noun for k in items for noun in self._entries[k].asset.called}
        pattern = rf"\b(on|onto)\b(?: \w+){{0,3}} ({'|'.join(map(re.escape, nouns))})"
        return bool(nouns) and re.search(pattern, text) is not None

    def _around(self, held: Spot, item: int) -> Asset | None:
        """The zone, bowl or container in which a place lies."""
        found = [self._entries[k].asset for k in self._under(held, item, 0.0)]
        inside = [asset for asset in found[::-1] if asset.opening is not None]
        return min(inside, key=lambda asset: isinstance(asset, Zone), default=None)

    def _under(self, held: Spot, item: int, margin: float) -> list[int]:
        """The things other than an item that a place is over."""
        there = [k for k, at in self._at.items() if k != item and at.root == held.root]
        return [k for k in there if self._covers(k, held, margin)]

    def _base(self, held: Spot, text: str, item: int, kinds: type = object) -> int | None:
        """The thing on, in or at which a place is; None where there is none."""
        below = []
        for k in self._under(held, item, 0.012):
            asset = self._entries[k].asset
            skipped = asset.bodies > 1 or not isinstance(asset, kinds)
            moved = k in self._moved and asset.opening is None  # see `_supporters`
            if not (skipped or moved or "nocollision" in self._entries[k].thing.file):
                below.append(k)
        solid = [k for k in below if not isinstance(self._entries[k].asset, Ball)]
        if below and not solid:
            raise TaskError("it puts something on a ball, where nothing holds")

        def fit(k: int) -> float:
            asset = self._entries[k].asset
            thing = not (asset.slots or isinstance(asset, Zone))
            return 2 * _is_named(asset, text) + (asset.color in text) + 0.5 * thing + 0.001 * k

        return max(solid, key=fit, default=None)

    def _covers(self, k: int, held: Spot, margin: float) -> bool:
        """Whether a place is over a thing, or near what is painted."""
        asset, offset = self._entries[k].asset, self._offset(k, held)
        if asset.slots:
            return math.hypot(offset.x, offset.y) <= (
                _REACH if isinstance(asset, (Corner, Fixture)) else 0.005
            ) or asset.shows(offset, asset)
        shape = asset.opening or shapely.Polygon(asset_geometry(asset).outline)
        return bool(shape.buffer(margin).contains(shapely.Point(offset.x, offset.y)))

    def _loose(self, item: int, spot: Spot, text: str) -> Placement:
        """A place that is on or in nothing: beside a thing that moves, else a mark."""
        kind, k = spot.root
        if kind in ("thing", "axes"):
            gap = self._shape(item, spot.pose).distance(self._shape(k, Pose(0, 0)))
            if k in self._moved or (_BESIDE.search(text) and gap <= NEIGHBOUR_GAP):
                return Placement(item, "beside", (k,), spot)
        return Placement(item, "mark", (), spot)

    def _shape(self, item: int, pose: Pose) -> shapely.Polygon:
        return footprint(asset_geometry(self._entries[item].asset).outline, pose)

    # --- all goals ------------------------------------------------------------------------

    def _show(self) -> None:
        """Paint where things go on a base that later carry something together."""
        rows = {b for g in self.goals for p in g.placements if len(p.bases) > 1 for b in p.bases}
        for goal in self.goals:
            for n, p in enumerate(goal.placements):
                fixed = len(p.bases) == 1 and p.bases[0] not in self._moved
                if p.item in rows and p.relation == "on" and fixed:
                    goal.placements[n] = replace(p, relation="mark")
        self.goals = [
            replace(goal, placements=[p for p in goal.placements if p.relation == relation])
            for goal in self.goals
            for relation in dict.fromkeys(p.relation for p in goal.placements)
        ]

    def _reorder(self) -> None:
        """Move a base before anything is put on it."""
        for _ in range(len(self.goals) ** 2):
            swaps = [
                (a, b)
                for b, later in enumerate(self.goals) for a, earlier in enumerate(self.goals[:b])
                if set(earlier.bases) & set(later.items)
                and not set(earlier.items) & {*later.bases, *later.items}
            ]  # fmt: skip
            if not swaps:
                return
            a, b = swaps[0]
            goal = self.goals.pop(b)
            self.goals.insert(a, goal)
            self.layout.notes.append(
                f"goal {goal.number} comes earlier, since it moves what another one loads"
            )


def arranged(goals: Sequence[Goal]) -> set[int]:
    """Indices of goals whose sentences arrange things on or in a base.

    `on=` and `inside=` leave open where things are there, so these sentences say too much.
    """
    spots: dict[int, set[tuple[float, float]]] = {}
    for p in (p for goal in goals for p in goal.placements):
        if p.relation in ("on", "inside") and len(p.bases) == 1:
            spots.setdefault(p.bases[0], set()).add((p.spot.pose.x, p.spot.pose.y))
    return {
        n for n, goal in enumerate(goals)
        if goal.relation in ("on", "inside") and _ARRANGES.search((goal.sentence or "").lower())
        and any(len(spots.get(base, ())) > 1 for base in goal.bases)
    }  # fmt: skip


def _is_named(asset: Asset, text: str) -> bool:
    """Whether a text names an asset by one of its nouns."""
    return any(re.search(rf"\b{re.escape(noun)}", text) for noun in asset.called)


def _pair(items: Sequence[int], targets: int, matches: Sequence[Sequence[bool]]) -> dict[int, int]:
    """Give each item a target: its own number if it may, else the first free one."""
    columns = min(targets, max(map(len, matches), default=targets)) or targets
    pairs: dict[int, int] = {}
    for n, item in enumerate(items):
        row = matches[n] if n < len(matches) else ()
        may = [k for k in range(columns) if k >= len(row) or row[k]] or list(range(columns))
        free = [k for k in may if k not in pairs.values()]
        pairs[item] = n if n in free else (free or may)[0]
    return pairs


def _groups(
    level: Sequence[Placement], split: bool, entries: Sequence[Entry]
) -> list[list[Placement]]:
    """Placements that make one goal: the same relation, and exchangeable where that matters."""
    groups: dict[object, list[Placement]] = {}
    for p in level:
        alone = split or (p.relation == "on" and len(p.bases) > 1)
        asset = entries[p.item].asset
        key = (p.relation, asset if alone else None, p.bases if alone else None)
        groups.setdefault(key, []).append(p)
    parts: list[list[Placement]] = []
    for group in groups.values():
        bases = dict.fromkeys(p.bases for p in group)
        relation = group[0].relation
        if relation in ("corner", "at", "beside"):
            parts += [[p] for p in group]
        elif relation in ("inside", "on") and 1 < len(bases) < len(group):
            parts += [[p for p in group if p.bases == base] for base in bases]
        else:
            parts.append(group)
    return parts
