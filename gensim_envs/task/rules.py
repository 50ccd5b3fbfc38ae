"""Detect what breaks the rules of a task, which hold during the whole episode."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

from gensim_envs.task.assets import Pile
from gensim_envs.task.assets.holders import PegStand
from gensim_envs.task.goals import (
    HEIGHT_TOLERANCE,
    POSITION_TOLERANCE,
    YAW_TOLERANCE,
    Rule,
    Snapshot,
)
from gensim_envs.task.judge import Judge, rests
from gensim_envs.task.pose import wrap
from gensim_envs.task.relations import carriers, span
from gensim_envs.task.spec import TaskSpec

UNTOUCHED = 0.02
"""Metres that an untouched item may move, up and down included."""


def violation(spec: TaskSpec, judge: Judge, start: Snapshot, now: Snapshot, reached: int) -> str:
    """The rule that a state at rest breaks, in words; "" for none.

    Args:
        spec: the task as drawn.
        judge: of the task.
        start: the state after reset.
        now: the state.
        reached: number of the last goal that has been current.
    """
    for goal in spec.goals:
        item = goal.items[0]
        if isinstance(spec.items[item].asset, Pile) and (now.bodies[item][:, 2] < -0.05).any():
            return f"a crumb of the {spec.items[item].asset} has fallen off the table"
    for rule in spec.rules:
        match rule.kind:
            case "ordered":
                broken = _ordered(spec, judge, start, now, reached)
            case "never_on":
                broken = _never_on(spec, rule, now)
            case "stays_on":
                broken = _stays_on(spec, rule, now)
            case "untouched":
                broken = _untouched(spec, rule, start, now)
        if broken:
            return broken
    return ""


def _ordered(spec: TaskSpec, judge: Judge, start: Snapshot, now: Snapshot, reached: int) -> str:
    early = _there(spec, judge, start, now, range(reached + 1, len(spec.goals)))
    if not early:
        return ""
    so_far = range(min(reached + 1, len(spec.goals)))
    named = Counter(judge.kinds[k] for k in {k for goal in so_far for k in spec.goals[goal].items})
    there = early | _there(spec, judge, start, now, so_far)
    for item in sorted(early):
        # Equal items stand for one another: too many of them are in place if one is too early.
        if sum(judge.kinds[k] == judge.kinds[item] for k in there) > named[judge.kinds[item]]:
            return f"the {spec.items[item].asset} was placed before its turn"
    return ""


def _there(
    spec: TaskSpec, judge: Judge, start: Snapshot, now: Snapshot, numbers: Iterable[int]
) -> set[int]:
    """Items that are in place for some of the goals; a rope or pile that was not at the start."""
    found: set[int] = set()
    for number in numbers:
        found |= judge.in_place(number, now)
        if judge.is_filled(number, now) and not judge.is_filled(number, start):
            found.add(spec.goals[number].items[0])
    return found


def _never_on(spec: TaskSpec, rule: Rule, now: Snapshot) -> str:
    for above in rule.items:
        for below in rule.others:
            if now.touch(above, below) is None:
                continue
            (low, _), (bottom, top) = span(spec, above, now), span(spec, below, now)
            if low > bottom and abs(low - top) <= HEIGHT_TOLERANCE:
                return f"the {spec.items[above].asset} stands on the {spec.items[below].asset}"
    return ""


def _stays_on(spec: TaskSpec, rule: Rule, now: Snapshot) -> str:
    for item in rule.items:
        if not any(_is_on_one(spec, base, item, now, frozenset()) for base in rule.others):
            return f"the {spec.items[item].asset} has left the {spec.items[rule.others[0]].asset}"
    return ""


def _is_on_one(spec: TaskSpec, base: int, item: int, now: Snapshot, seen: frozenset[int]) -> bool:
    """Whether an item is on a thing, or on what is; on one of its pegs, where it has pegs."""
    asset = spec.items[base].asset
    if not isinstance(asset, PegStand):
        return rests(spec, base, item, now) or any(
            _is_on_one(spec, base, other, now, seen | {item})
            for other in carriers(spec, item, now)
            if other not in seen | {base}
        )
    local = now.poses[base].inverse() @ now.poses[item]
    return local.z > 0 and any(local.distance(asset.peg(k)) <= POSITION_TOLERANCE for k in range(3))


def _untouched(spec: TaskSpec, rule: Rule, start: Snapshot, now: Snapshot) -> str:
    for item in rule.items:
        before, after = start.poses[item], now.poses[item]
        turn = wrap(after.yaw - before.yaw, spec.items[item].asset.symmetry)
        tilted = now.tilts[item] > YAW_TOLERANCE
        moved = math.hypot(before.distance(after), after.z - before.z) > UNTOUCHED
        if moved or abs(turn) > YAW_TOLERANCE or tilted:
            return f"the {spec.items[item].asset} was moved"
    return ""
