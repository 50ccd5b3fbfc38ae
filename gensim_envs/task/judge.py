"""Judge a state: assign equal items to the places of goals, and count what is fulfilled."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial

import numpy as np
import shapely
from numpy.typing import NDArray

from gensim_envs.task.goals import (
    GROUPS,
    HEIGHT_TOLERANCE,
    Goal,
    Part,
    Place,
    Snapshot,
)
from gensim_envs.task.patterns import Motion, Slot, locate
from gensim_envs.task.pose import Pose
from gensim_envs.task.relations import (
    around,
    beads_along,
    crumbs_inside,
    in_row,
    is_inside,
    is_met,
    movable,
    outline,
    period_of,
    span,
    target_of,
)
from gensim_envs.task.spec import TaskSpec

PILE_INTRUDES = 0.05
"""Share of a distracting pile's crumbs in a place from which the pile counts as an intruder."""
_MANY = 1000
_MOST = 120
"""Exchanges of equal bases that are tried for a goal: all of them for up to five."""
_OTHER_END: dict[Part, Part] = {"first end": "second end", "second end": "first end"}
_TAKEN = 0.02
"""Metres from a place within which something else stands on it."""

_Unit = tuple[int, int | None]
"""Number of a goal, and the kind of its items; None for all of them together."""
Motions = dict[int, Motion | None]
"""By number of the pattern, where it is."""


@dataclass(frozen=True)
class _Target:
    """A place of one goal as a node of the assignment.

    Attributes:
        goal: number of the goal.
        place: in the frame of a base or of the world.
        unit: of demand, for which it counts.
        items: the items that are in place there.
        shared: whether it takes any number of items.
    """

    goal: int
    place: Place
    unit: _Unit
    items: tuple[int, ...]
    shared: bool


@dataclass(frozen=True)
class Assignment:
    """How far the goals up to one of them are fulfilled at one moment.

    Attributes:
        fractions: of each goal, 0..1. An earlier goal counts its final places only.
        placed: the items that are in place, by the number of the goal for which they count.
        todo: for the last goal, its rigid items that are not in place, each with the place that is
            nearest; lower places first.
        spare: other places that these items could take just as well.
    """

    fractions: tuple[float, ...]
    placed: dict[int, int]
    todo: tuple[tuple[int, Place], ...]
    spare: tuple[tuple[int, Place], ...]


class Judge:
    """Judges states of one task. Equal items are exchangeable across all of its goals.

    Args:
        spec: the task as drawn.

    Attributes:
        kinds: of each item, the number of the class of equal items that it belongs to.
    """

    def __init__(self, spec: TaskSpec) -> None:
        self._spec = spec
        kinds: dict[object, int] = {}
        self.kinds = [kinds.setdefault(item.asset, len(kinds)) for item in spec.items]
        self._rigid = [
            not spec.items[goal.items[0]].bodies and goal.relation not in GROUPS
            for goal in spec.goals
        ]
        self._located_in: tuple[tuple[Pose, ...], tuple[float, ...]] | None = None
        self._motions: dict[tuple[int, int], Motion | None] = {}
        self._slots: dict[tuple[int, int], list[Slot]] = {}
        self._met_in: Snapshot | None = None
        self._met: dict[tuple[int, Place, frozenset[int]], tuple[int, ...]] = {}

    @cached_property
    def needs(self) -> list[Counter[int]]:
        """For each goal the number of its items of each kind."""
        return [Counter(self.kinds[item] for item in goal.items) for goal in self._spec.goals]

    @cached_property
    def finals(self) -> list[Counter[int]]:
        """For each goal the number of its places that must still be filled at the end, by kind.

        A later goal takes items from an earlier one only if there are too few equal ones for both.
        """
        movers = {item for goal in self._spec.goals for item in goal.items}
        total = Counter(self.kinds[item] for item in movers)
        finals: list[Counter[int]] = []
        for need in reversed(self.needs):
            final = Counter({kind: min(n, total[kind]) for kind, n in need.items()})
            total -= final
            finals.append(final)
        return finals[::-1]

    def fraction(self, number: int, now: Snapshot) -> float:
        """The fraction of one goal that is fulfilled, whatever the others need, 0..1."""
        motions = self.motions(number, now)
        if not self._is_begun(number, now, motions):
            return 0.0
        return self._assign([number], now, motions, todo=False).fractions[0]

    def assign(self, current: int, now: Snapshot, motions: Motions | None = None) -> Assignment:
        """Judge the goals up to `current` together.

        Args:
            current: number of the last goal that counts; it needs all of its places, earlier ones
                their final ones.
            now: the state.
            motions: where patterns are; by default where they fit best.
        """
        motions = self.motions(current, now) if motions is None else motions
        return self._assign(list(range(current + 1)), now, motions, todo=True)

    def fractions(self, current: int, now: Snapshot) -> tuple[float, ...]:
        """How far each goal up to `current` is fulfilled; see `assign`."""
        motions = self.motions(current, now)
        return self._assign(list(range(current + 1)), now, motions, todo=False).fractions

    def motions(
        self,
        current: int,
        now: Snapshot,
        allowed: Callable[[int, Motion], bool] = lambda number, motion: True,
    ) -> Motions:
        """Where each pattern of the goals up to `current` fits the most items.

        Args:
            current: number of the last goal that counts.
            now: the state.
            allowed: whether a pattern, by its number, may be somewhere.
        """
        found: Motions = {}
        for number, pattern in enumerate(self._spec.patterns):
            slots = self.slots(number, current)
            if not slots:
                continue
            motion = self._located(number, current, slots, now)
            if motion is not None and not allowed(number, motion):
                motion = locate(pattern, slots, now, partial(allowed, number))
            found[number] = motion
        return found

    def _located(
        self, number: int, current: int, slots: Sequence[Slot], now: Snapshot
    ) -> Motion | None:
        """Where a pattern fits the most items, anywhere; searched once for each state."""
        state = now.poses, now.tilts
        if self._located_in != state:
            self._located_in, self._motions = state, {}
        if (number, current) not in self._motions:
            self._motions[number, current] = locate(self._spec.patterns[number], slots, now)
        return self._motions[number, current]

    def slots(self, pattern: int, current: int) -> list[Slot]:
        """The places of a pattern that goals up to `current` use."""
        if (pattern, current) not in self._slots:
            self._slots[pattern, current] = self._find_slots(pattern, current)
        return self._slots[pattern, current]

    def _find_slots(self, pattern: int, current: int) -> list[Slot]:
        spec, slots = self._spec, []
        for goal in spec.goals[: current + 1]:
            for k, place in enumerate(goal.places):
                if place.pattern != pattern:
                    continue
                kinds = self._kinds_for(goal, k)
                items = {
                    item: period_of(spec, place, item) if place.heading else None
                    for item, kind in enumerate(self.kinds)
                    if kind in kinds
                }
                slots.append(Slot(place.pose, items, goal.position_tolerance, goal.yaw_tolerance))
        return slots

    def placed(self, now: Snapshot) -> set[int]:
        """Items that are in place for some goal."""
        return set().union(*(self.in_place(k, now) for k in range(len(self._spec.goals))))

    def in_place(self, number: int, now: Snapshot) -> set[int]:
        """Rigid items that are at some place of one goal, whatever the others need."""
        motions = self.motions(number, now)
        if not self._is_begun(number, now, motions):
            return set()
        return self._near_targets([number], now, motions)

    def _near_targets(self, numbers: Sequence[int], now: Snapshot, motions: Motions) -> set[int]:
        """Rigid items that are at some place of the goals."""
        sets, _ = self._targets(numbers, [self.needs[n] for n in numbers], now, motions)
        return {item for first, *_ in sets for target in first for item in target.items}

    def _is_begun(self, number: int, now: Snapshot, motions: Motions) -> bool:
        """Whether two things stand where earlier goals begin the pattern of a goal, if they do.

        A single one is no pattern: something is always at the right distance from something.
        """
        goals = self._spec.goals
        pattern = goals[number].places[0].pattern
        earlier = [k for k in range(number) if pattern in (p.pattern for p in goals[k].places)]
        if pattern is None or not earlier or self._spec.patterns[pattern].anchor is not None:
            return True
        return len(self._near_targets(earlier, now, motions)) >= 2

    def is_filled(self, number: int, now: Snapshot) -> bool:
        """Whether a goal whose items are judged together is fulfilled: a rope, a pile, a group."""
        return not self._rigid[number] and self._whole(number, now)[0] == 1

    def left(self, number: int, now: Snapshot) -> tuple[tuple[int, Place], ...]:
        """The items of one goal that are not in place, each with its nearest place."""
        return self._assign([number], now, self.motions(number, now), todo=True).todo

    def soft_goal(self, number: int, now: Snapshot) -> Goal:
        """A goal about a rope or pile, with the equal one in its stead that counts for it now."""
        goal = self._spec.goals[number]
        item = goal.items[0]
        return replace(goal, items=(self._stand_ins(self.kinds[item], now)[item],))

    def _stand_ins(self, kind: int, now: Snapshot) -> dict[int, int]:
        """For each rope or pile of a kind that goals name, the one that counts for it.

        Of all ways to exchange them, this fulfils the most goals, and then the most of each.
        """
        goals = [goal for goal in self._spec.goals if self.kinds[goal.items[0]] == kind]
        named = sorted({goal.items[0] for goal in goals})
        if len(named) == 1:
            return {named[0]: named[0]}

        def value(way: dict[int, int]) -> tuple[int, float]:
            shares = [self._soft_share(goal, way[goal.items[0]], now) for goal in goals]
            return sum(share == 1 for share in shares), round(sum(shares), 9)

        orders = itertools.islice(itertools.permutations(named), _MOST)
        return max((dict(zip(named, order, strict=True)) for order in orders), key=value)

    def _soft_share(self, goal: Goal, item: int, now: Snapshot) -> float:
        """The fraction of a goal that a rope or pile fulfils."""
        if goal.relation == "along":
            return beads_along(self._spec, replace(goal, items=(item,)), now)
        crumbs = now.bodies[item]
        inside = [crumbs_inside(self._spec, base, crumbs, now) for base in sorted(goal.bases)]
        return float(np.any(inside, axis=0).mean())

    def _takers(self, goal: Goal, place: int) -> tuple[int, ...]:
        """Items of a goal that may take a place; where unequal ones have one each, the n-th."""
        size = len(goal.places) // goal.alternatives
        anywhere = goal.relation == "inside" and len(goal.bases) == size
        if size == len(goal.items) and not (anywhere or goal.shared):
            return (goal.items[place % size],)
        return goal.items

    def _kinds_for(self, goal: Goal, place: int) -> frozenset[int]:
        return frozenset(self.kinds[item] for item in self._takers(goal, place))

    def _assign(
        self, numbers: Sequence[int], now: Snapshot, motions: Motions, *, todo: bool
    ) -> Assignment:
        last = numbers[-1]
        demand = [self.needs[n] if n == last else self.finals[n] for n in numbers]
        sets, units = self._targets(numbers, demand, now, motions)
        placed = _match([target for first, *_ in sets for target in first], units)
        fractions = []
        for number, need in zip(numbers, demand, strict=True):
            count = need.total()
            if not count:
                fractions.append(1.0)  # its items have gone on to later goals
                continue
            if self._rigid[number]:
                filled = Counter(self.kinds[item] for item, n in placed.items() if n == number)
                free = self._is_free(number) and number == last
                share = _share((filled & need).total(), count, int(free))
            else:
                share, count = self._whole(number, now)
            if self.intruders(number, now, last):  # which cost one item
                share = max(0.0, share - 1 / count)
            fractions.append(share)
        left: list[tuple[int, Place]] = []
        spare: list[tuple[int, Place]] = []
        if todo and self._rigid[last] and demand[-1].total():
            first, *others = sets[-1]
            left, spare = self._todo(last, now, placed, first)
            for other in others:
                if [t.items for t in other] == [t.items for t in first]:
                    for pairs in self._todo(last, now, placed, other):
                        spare += pairs
        return Assignment(tuple(fractions), placed, tuple(left), tuple(spare))

    def _whole(self, number: int, now: Snapshot) -> tuple[float, int]:
        """The fraction of a goal whose items are judged together: a rope, a pile, a group.

        Returns:
            (fraction, number of its beads, crumbs or items).
        """
        spec, goal = self._spec, self._spec.goals[number]
        if goal.items[0] in now.bodies:
            item = self.soft_goal(number, now).items[0]
            return self._soft_share(goal, item, now), len(now.bodies[item])
        if goal.relation == "around":
            done, free = around(spec, goal.items, goal.places[0].bases[0], now), 1
        else:
            anchors = sorted(goal.bases)
            done, free = in_row(spec, goal.items, anchors, now), int(not anchors)
        return _share(done, len(goal.items), free), len(goal.items)

    def _is_free(self, number: int) -> bool:
        """Whether the first item of a goal may be anywhere: the goal begins a free pattern."""
        goal = self._spec.goals[number]
        pattern = goal.places[0].pattern
        if pattern is None or self._spec.patterns[pattern].anchor is not None:
            return False
        earlier = (place.pattern for g in self._spec.goals[:number] for place in g.places)
        return pattern not in earlier

    def _targets(
        self, numbers: Sequence[int], demand: Sequence[Counter[int]], now: Snapshot, where: Motions
    ) -> tuple[list[list[list[_Target]]], dict[_Unit, int]]:
        """The places of rigid goals, and the numbers of items of the units of demand.

        For each goal there are one or more sets of places that suit the state equally well.
        """
        targets: list[list[list[_Target]]] = []
        units: dict[_Unit, int] = {}
        for number, need in zip(numbers, demand, strict=True):
            goal = self._spec.goals[number]
            if not self._rigid[number] or not need.total():
                continue
            own = not goal.shared and self._takers(goal, 0) != goal.items
            apart = len(need) == 1 or own
            for kind in sorted(need) if apart else [None]:
                units[number, kind] = need.total() if kind is None else need[kind]
            sets = [
                [
                    self._target(number, k, place, now, where, apart)
                    for k, place in enumerate(places)
                ]
                for places in self._variants[number]
            ]
            targets.append(self._suitable(sets, now))
        return targets, units

    @cached_property
    def _variants(self) -> list[list[tuple[Place, ...]]]:
        """For each goal the alternative sets of its places, with equal bases exchanged in all ways.

        Nothing shows which end of a thing is its first one, so that its ends are exchanged too.
        """
        found: list[dict[object, tuple[Place, ...]]] = []
        for goal in self._spec.goals:
            found.append({})
            for places in goal.sets():
                for way in self._exchanges(goal, places):
                    for ends in (way, tuple(map(_at_other_end, way))):
                        key = frozenset(
                            (self._kinds_for(goal, k), frozenset(p.bases), replace(p, bases=()))
                            for k, p in enumerate(ends)
                        )
                        found[-1].setdefault(key, ends)
        return [list(variants.values()) for variants in found]

    def _exchanges(self, goal: Goal, places: tuple[Place, ...]) -> Iterator[tuple[Place, ...]]:
        """The places as they are, then with other bases that equal theirs."""
        movable = {base for base in goal.bases if not self._spec.items[base].fixed}
        kinds = {self.kinds[base] for base in movable}
        equals = {kind: [k for k, own in enumerate(self.kinds) if own == kind] for kind in kinds}
        alike = len({replace(place, bases=()) for place in places}) == 1
        same = alike and len({self.kinds[item] for item in goal.items}) == 1
        if same and len(kinds) == 1 and {(k,) for k in movable} == {p.bases for p in places}:
            # Any of the equal bases will do for each of the places.
            yield tuple(replace(places[0], bases=(k,)) for k in equals[min(kinds)])
            return
        orders = []
        for kind, members in equals.items():
            used = sorted(base for base in movable if self.kinds[base] == kind)
            rest = [k for k in members if k not in used]
            ways = itertools.permutations([*used, *rest], len(used))
            orders.append(
                [dict(zip(used, way, strict=True)) for way in itertools.islice(ways, _MOST)]
            )
        for choice in itertools.islice(itertools.product(*orders), _MOST):
            way = {base: other for part in choice for base, other in part.items()}
            yield tuple(
                replace(p, bases=tuple(way.get(base, base) for base in p.bases)) for p in places
            )

    def _suitable(self, sets: Sequence[list[_Target]], now: Snapshot) -> list[list[_Target]]:
        """The sets of places that suit a state best: more filled, fewer taken, bases nearer."""
        filled = [sum(bool(target.items) for target in targets) for targets in sets]
        most = max(filled)
        best = [targets for targets, count in zip(sets, filled, strict=True) if count == most]
        if len(best) == 1:
            return best
        goal = self._spec.goals[best[0][0].goal]
        kinds = {self.kinds[item] for item in goal.items}
        others = [now.poses[k] for k in movable(self._spec, now) if self.kinds[k] not in kinds]

        @cache  # many sets have the same places
        def is_taken(place: Place) -> bool:
            want = target_of(self._spec, goal, place, now)
            return any(
                have.distance(want) < _TAKEN and abs(have.z - want.z) < _TAKEN for have in others
            )

        def suits(targets: Sequence[_Target]) -> tuple[int, float]:
            apart = sum(
                now.poses[a].distance(now.poses[b])
                for t in targets for a, b in itertools.pairwise(t.place.bases)
            )  # fmt: skip
            return -sum(is_taken(t.place) for t in targets), -round(apart, 6)

        values = [suits(targets) for targets in best]
        return [
            targets for targets, value in zip(best, values, strict=True) if value == max(values)
        ]

    def _target(
        self, number: int, k: int, place: Place, now: Snapshot, where: Motions, apart: bool
    ) -> _Target:
        goal = self._spec.goals[number]
        takers = self._kinds_for(goal, k)
        unit = number, min(takers) if apart else None
        if place.pattern is not None:
            motion = where.get(place.pattern)
            if motion is None:
                return _Target(number, place, unit, (), goal.shared)
            place = replace(place, pose=motion(place.pose), pattern=None)
        items = self._items_at(number, place, takers, now)
        return _Target(number, place, unit, items, goal.shared)

    def _items_at(
        self, number: int, place: Place, kinds: frozenset[int], now: Snapshot
    ) -> tuple[int, ...]:
        """The items of some kinds that are at a place of a goal; found once for each state."""
        if self._met_in is not now:
            self._met_in, self._met = now, {}
        key = number, place, kinds
        if key not in self._met:
            goal = self._spec.goals[number]
            self._met[key] = tuple(
                item
                for item, kind in enumerate(self.kinds)
                if kind in kinds and is_met(self._spec, goal, place, item, now)
            )
        return self._met[key]

    def _todo(
        self, number: int, now: Snapshot, placed: dict[int, int], targets: list[_Target]
    ) -> tuple[list[tuple[int, Place]], list[tuple[int, Place]]]:
        """Pair the items that are left with the places that are left.

        Returns:
            The nearest places, one for each item, and other places that could be exchanged for
            these: of equal items, one is listed.
        """
        spec, goal = self._spec, self._spec.goals[number]
        held = self._held(number, now, placed, targets)
        open_places = [(t, k) for k, t in enumerate(targets) if t.shared or k not in held]
        exchangeable = [(t.place, self._kinds_for(goal, k)) for t, k in open_places if not t.shared]
        pairs: list[tuple[int, Place]] = []
        spare: list[tuple[int, Place]] = []
        for kind, need in self.needs[number].items():
            done = sum(self.kinds[i] == kind for i, n in placed.items() if n == number)
            items = [
                item for item, own in enumerate(self.kinds)
                if own == kind and item not in placed and now.has(item)
            ]  # fmt: skip
            takes = [
                t.place for t, k in open_places
                if kind in self._kinds_for(goal, k)
            ]  # fmt: skip
            if goal.shared:
                takes = takes * len(items)
            if not items or not takes or done >= need:
                continue
            want = [target_of(spec, goal, place, now) for place in takes]
            cost = np.array(
                [[now.poses[i].distance(pose) + 10 * pose.z for pose in want] for i in items]
            )
            own = np.array([[item in place.bases for place in takes] for item in items])
            # What earlier goals have put down is built on, rather than an equal thing elsewhere.
            cost += [not set(place.bases) & placed.keys() for place in takes]
            cost += _MANY * (own | self._occupied(items, want, now))
            chosen = sorted(_assigned(cost), key=lambda rc: want[rc[1]].z)
            found = [(items[row], takes[column]) for row, column in chosen[: need - done]]
            taken = [place for _, place in found]
            open_places = [
                (t, k) for t, k in open_places if t.shared or not _is_among(t.place, taken)
            ]
            pairs += found
            spare += self._exchanged(goal, found, exchangeable, now, placed)
        return sorted(pairs, key=lambda pair: target_of(spec, goal, pair[1], now).z), spare

    def _exchanged(
        self,
        goal: Goal,
        pairs: Sequence[tuple[int, Place]],
        places: Sequence[tuple[Place, frozenset[int]]],
        now: Snapshot,
        placed: dict[int, int],
    ) -> list[tuple[int, Place]]:
        """Other places that could be exchanged for those of equal items, for the first of them.

        Args:
            goal: to which they belong.
            pairs: the items and their places.
            places: the open places, each with the kinds of items that may take it.
            now: the state.
            placed: the items that are in place.
        """
        item, own = pairs[0][0], [place for _, place in pairs]
        like = [
            (kinds, bool(set(place.bases) & placed.keys()))
            for place, kinds in places if _is_among(place, own)
        ]  # fmt: skip
        others = [
            place for place, kinds in places
            if not _is_among(place, own) and item not in place.bases
            and (kinds, bool(set(place.bases) & placed.keys())) in like
        ]  # fmt: skip
        if not others:
            return []
        want = [target_of(self._spec, goal, place, now) for place in others]
        blocked = self._occupied([item], want, now)[0]
        return [(item, place) for place, no in zip(others, blocked, strict=True) if not no]

    def _occupied(
        self, items: Sequence[int], want: Sequence[Pose], now: Snapshot
    ) -> NDArray[np.bool_]:
        """Whether something else stands where an item would go, (items, places)."""
        there = movable(self._spec, now)

        def at(item: int, pose: Pose) -> bool:
            return any(
                k != item
                and now.poses[k].distance(pose) < _TAKEN
                and abs(now.poses[k].z - pose.z) < _TAKEN
                for k in there
            )

        return np.array([[at(item, pose) for pose in want] for item in items])

    def _held(
        self, number: int, now: Snapshot, placed: dict[int, int], targets: list[_Target]
    ) -> set[int]:
        """The targets that are taken: each by the nearest item that is in place there."""
        items = [item for item, goal in placed.items() if goal == number]
        if not items:
            return set()
        goal = self._spec.goals[number]
        want = [target_of(self._spec, goal, t.place, now) for t in targets]
        cost = [
            [now.poses[i].distance(w) + _MANY * (i not in t.items)
             for t, w in zip(targets, want, strict=True)]
            for i in items
        ]  # fmt: skip
        return {column for _, column in _assigned(np.array(cost))}

    def intruders(self, number: int, now: Snapshot, current: int | None = None) -> set[int]:
        """Things in or on the places of a goal that do not belong there.

        A distractor never does; with `only` neither does anything but the goal's items and what
        other goals up to the `current` one put there, or on top of what is there.
        """
        spec, goal = self._spec, self._spec.goals[number]
        last = number if current is None else current
        belong: Counter[int] = Counter()
        holders = set(goal.bases)
        for k, other in enumerate(spec.goals[: last + 1]):
            if other.bases & holders:
                belong.update(self.needs[k])
                holders |= set(other.items)
        found: set[int] = set()
        for base in sorted(goal.bases):
            for item, data in enumerate(spec.items):
                if data.fixed or item == base or not (data.distractor or goal.only):
                    continue
                if not rests(spec, base, item, now):
                    continue
                if data.distractor or belong[self.kinds[item]] <= 0:
                    found.add(item)
                belong[self.kinds[item]] -= 1
        return found


def _assigned(cost: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Rows and columns of a matrix, one to one, with the least sum of entries."""
    if 1 in cost.shape:
        return [divmod(int(cost.argmin()), cost.shape[1])]
    from scipy.optimize import linear_sum_assignment  # takes as long to load as all else of an env

    return list(zip(*linear_sum_assignment(cost), strict=True))


def _is_among(place: Place, places: Sequence[Place]) -> bool:
    """Whether a place is one of some, itself and not only equal to one."""
    return any(place is other for other in places)


def _at_other_end(place: Place) -> Place:
    return replace(place, part=_OTHER_END.get(place.part, place.part))


def _share(done: int, count: int, free: int) -> float:
    """Credit for `done` of `count` items, of which the first `free` always fit."""
    return max(0, done - free) / max(1, count - free)


def rests(spec: TaskSpec, base: int, item: int, now: Snapshot) -> bool:
    """Whether something is in or on a thing or mark; a pile or rope with 5 % of its bodies."""
    if not now.has(item) or not now.has(base) or item == base:
        return False
    holder = spec.items[base].asset
    if item in now.bodies:
        points = now.bodies[item]
        if holder.opening is not None:
            share = crumbs_inside(spec, base, points, now).mean()
        else:
            share = shapely.contains_xy(outline(spec, base, now), points[:, :2]).mean()
        return bool(share >= PILE_INTRUDES)
    pose, low = now.poses[item], span(spec, item, now)[0]
    if holder.opening is not None and is_inside(spec, base, item, now):
        return True
    if holder.opening is not None:
        # Also what is heaped on the content, or only partly in a zone.
        local = now.poses[base].inverse() @ pose
        flat = spec.geometry(base).flat
        level = abs(low - now.poses[base].z) <= HEIGHT_TOLERANCE if flat else local.z >= 0
        return level and bool(shapely.contains_xy(holder.opening, local.x, local.y))
    over = bool(shapely.contains_xy(outline(spec, base, now), pose.x, pose.y))
    if spec.geometry(base).flat:
        return over and abs(low - now.poses[base].z) <= HEIGHT_TOLERANCE
    return over and now.touch(base, item) is not None and low > now.poses[base].z


def _match(targets: Sequence[_Target], units: dict[_Unit, int]) -> dict[int, int]:
    """Assign items to places, one to one: {item: number of the goal for which it counts}.

    As many items as possible count for the first goal; without taking one of these away, as many
    as possible for the next, and so on. This is a maximum flow from items through places to units
    of demand, whose capacities are opened in the order of the goals: an augmenting path (Ford and
    Fulkerson 1956) never empties what has been filled.
    """
    items = sorted({item for target in targets for item in target.items})
    ways = {item: [n for n, t in enumerate(targets) if item in t.items] for item in items}
    where: dict[int, int] = {}  # item: index of its target
    wanted = dict.fromkeys(units, 0)

    def assign(item: int, seen: set[int], moving: set[int]) -> bool:
        """Assign an item, by moving others on if need be, which are not those `moving` already.

        Places that were `seen` before do not help.
        """
        moving.add(item)
        for n in ways[item]:
            if n in seen:
                continue
            seen.add(n)
            unit = targets[n].unit
            rivals = [other for other, place in where.items() if place == n]
            if targets[n].shared or not rivals:
                rivals = [other for other, place in where.items() if targets[place].unit == unit]
                if len(rivals) < wanted[unit]:
                    where[item] = n
                    return True
            for other in rivals:
                if other not in moving and assign(other, seen, moving):
                    where[item] = n
                    return True
        return False

    for unit, need in units.items():
        wanted[unit] = need
        while any(item not in where and assign(item, set(), set()) for item in items):
            pass
    return {item: targets[n].goal for item, n in where.items()}
