"""Progress of an episode: the assignment of items to places, and the fraction of goals met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from gensim_envs.task.goals import Goal, Place, Snapshot
from gensim_envs.task.relations import beads_along, crumbs_inside, is_met, target_of
from gensim_envs.task.spec import TaskSpec

PILE_SOLVED = 0.95
"""Share of a pile's crumbs that must lie inside."""


def match(spec: TaskSpec, goal: Goal, now: Snapshot) -> dict[int, int]:
    """Assign the rigid items of a goal to its places: {item: place}.

    Items of equal asset are interchangeable, so each group of equals is assigned to the places
    that are nearest in sum; what is already in place stays there, and lower places go first. What
    is not on the table gets none.
    Where unequal items have a place each, the n-th item belongs to the n-th place.
    """
    if goal.shared:
        return dict.fromkeys(goal.items, 0)
    groups: dict[Any, list[int]] = {}
    for item in filter(now.has, goal.items):
        groups.setdefault(spec.items[item].asset, []).append(item)
    kinds = {spec.items[item].asset for item in goal.items}
    bases = {place.base for place in goal.places}
    anywhere = goal.relation == "inside" and len(bases) == len(goal.places)
    equal = len(kinds) == 1 or len(goal.places) != len(goal.items) or anywhere
    taken: dict[int, int] = {}
    free = list(range(len(goal.places)))
    for group in groups.values():
        places = free if equal else [goal.items.index(item) for item in group]
        cost = np.array([[_cost(spec, goal, p, item, now) for p in places] for item in group])
        for row, column in zip(*linear_sum_assignment(cost), strict=True):
            taken[group[row]] = places[column]
        free = [p for p in free if p not in taken.values()]
    return taken


def _cost(spec: TaskSpec, goal: Goal, place: int, item: int, now: Snapshot) -> float:
    """Metres to go; met places cost far less than all others, and low ones less than high ones."""
    want = target_of(spec, goal, goal.places[place], now)
    away = now.poses[item].distance(want)
    # Inside a container every place is met, so that the distance still counts.
    met = is_met(spec, goal, goal.places[place], item, now)
    return away - 100.0 if met else away + 10 * want.z


def fraction_met(
    spec: TaskSpec, goal: Goal, now: Snapshot, only: Sequence[int] | None = None
) -> float:
    """Return the fraction of a goal that is met now, 0..1; with `only`, of those of its items."""
    first = goal.items[0]
    if goal.relation == "along":
        return beads_along(goal, now.bodies[first])
    if first in now.bodies:
        inside = np.zeros(len(now.bodies[first]), bool)
        for place in goal.places:
            if place.base is not None:
                inside |= crumbs_inside(spec, place.base, now.bodies[first], now)
        return 1.0 if inside.mean() >= PILE_SOLVED else float(inside.mean())
    items = goal.items if only is None else only
    chosen = match(spec, goal, now)
    met = [
        item in chosen and is_met(spec, goal, goal.places[chosen[item]], item, now)
        for item in items
    ]
    return sum(met) / len(met)


def unmet(spec: TaskSpec, goal: Goal, now: Snapshot) -> list[tuple[int, Place]]:
    """Rigid items that are not yet in place with the place of each, lowest place first."""
    chosen = match(spec, goal, now)
    left = [
        (item, goal.places[place])
        for item, place in chosen.items()
        if not is_met(spec, goal, goal.places[place], item, now)
    ]
    return sorted(left, key=lambda pair: target_of(spec, goal, pair[1], now).z)


@dataclass(frozen=True)
class GoalStatus:
    """Progress of an episode.

    Attributes:
        progress: 0..1, measured from the start state; 1 exactly when solved.
        current: index of the goal to work on, or None when solved.
        goals_left: how many goals are still to be met.
    """

    progress: float
    current: int | None
    goals_left: int

    @property
    def success(self) -> bool:
        return self.current is None


class GoalTracker:
    """Follows one episode: goals in order, last goals must hold, earlier ones latch.

    Args:
        spec: the task.
        start: the state after reset, from which progress is measured.
    """

    def __init__(self, spec: TaskSpec, start: Snapshot) -> None:
        self._spec = spec
        goals = spec.goals
        # For each goal, the items for which it is the last one: these must still hold at the end.
        self._final = [
            [i for i in goal.items if not any(i in later.items for later in goals[k + 1 :])]
            for k, goal in enumerate(goals)
        ]
        weights = np.array([len(goal.items) for goal in goals], float)
        self._weights: list[float] = (weights / weights.sum()).tolist()
        self._latched = 0
        self._start = [fraction_met(spec, goal, start) for goal in goals]

    def update(self, now: Snapshot) -> GoalStatus:
        """Credit a state at rest; call once after every action, in order."""
        goals = self._spec.goals
        before = 0.0
        for k, goal in enumerate(goals):
            if k < self._latched:
                final = self._final[k]
                met = fraction_met(self._spec, goal, now, final) if final else 1.0
                # Items with a later goal have done their part here.
                fraction = 1 - (1 - met) * len(final) / len(goal.items)
            else:
                fraction = fraction_met(self._spec, goal, now)
            if fraction < 1:
                base = self._start[k]
                gained = max(0.0, (fraction - base) / (1 - base)) if base < 1 else 0.0
                return GoalStatus(before + self._weights[k] * gained, k, len(goals) - k)
            self._latched = max(self._latched, k + 1)
            before += self._weights[k]
        return GoalStatus(1.0, None, 0)
