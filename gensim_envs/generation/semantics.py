"""Compare each sentence with its goal, as far as that works without a model.

`task.checks.sentences` checks that the colours, kinds and numbers in a sentence occur in its goal.
This module checks that each object has the role that the sentence gives it: the object to move, or
the target in, on or beside which it goes. The rest, such as an order among places, is left to a
reader; see `reflect.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import shapely

from gensim_envs.errors import TaskError
from gensim_envs.generation.phrases import Phrase, meant, phrases
from gensim_envs.task.assets import Zone
from gensim_envs.task.checks.sentences import plural
from gensim_envs.task.goals import (
    DIRECTIONS,
    GROUPS,
    HEIGHT_TOLERANCE,
    POSITION_TOLERANCE,
    REGIONS,
    YAW_TOLERANCE,
    Goal,
)
from gensim_envs.task.judge import Judge
from gensim_envs.task.pose import wrap
from gensim_envs.task.relations import (
    beads_along,
    crumbs_inside,
    merged,
    supports,
    target_of,
    together,
)
from gensim_envs.task.spec import TaskSpec

NEAR = 0.03
"""Distance in metres within which an item counts as nearly at its target."""

Problems = Iterator[tuple[str, str]]
"""(problem, remedy) of a sentence."""


def check_sentences(spec: TaskSpec) -> None:
    """Check that each sentence uses every object that it names in the role that the goal gives it.

    Raises:
        TaskError: with cause "semantics", naming goal and phrase.
    """
    below = supports(spec)
    for number in range(1, len(spec.goals) + 1):
        for problem, remedy in _problems(spec, number, below):
            raise TaskError(problem, remedy, cause="semantics", goal=number)


def _problems(spec: TaskSpec, number: int, supported: list[set[int]]) -> Problems:
    goal = spec.goals[number - 1]
    named = phrases(spec, goal.instruction)
    # Goals that share a sentence are held against it together.
    shared = together(spec, number - 1)
    whole = merged(spec, number - 1)
    below = set().union(*(supported[k] for k in shared))
    yield from _wrong_movers(spec, whole, named)
    yield from _wrong_order(spec, goal, number)
    yield from _wrong_spot(spec, goal)
    yield from _wrong_arrangement(spec, goal, named)
    if goal.relation == "at":
        for where in _misplaced(spec, goal, named):
            yield f"the instruction says {where}, but its poses contradict it", "Make both agree"
    for phrase in named:
        if phrase.color and not any(True for _ in meant(spec, phrase)):
            problem = (
                f"the instruction says {str(phrase)!r}, but no {phrase.noun} is {phrase.color}"
            )
            yield problem, "Name things by their own colors"
        yield from _wrong_number(spec, whole, phrase, below)
        if phrase.where and not set(meant(spec, phrase)) & set(whole.items):
            wrong = [
                list(_wrong_relation(spec, spec.goals[k], phrase, supported[k])) for k in shared
            ]
            yield from (wrong[0] if all(wrong) else [])


def _wrong_movers(spec: TaskSpec, goal: Goal, named: list[Phrase]) -> Problems:
    """Check that the objects named before the first preposition are those that the goal moves."""
    moved = set(goal.items)
    # What is fixed is a target, as in "surround the bowl", and moves nothing.
    first = next((p for p in named if not all(spec.items[k].fixed for k in meant(spec, p))), None)
    if first and first.where is None:
        movers = (set(meant(spec, phrase)) for phrase in named if not phrase.where)
        if not any(items & moved for items in movers):
            problem = f"the instruction mentions the {first}, but the goal moves another object"
            yield problem, "Name the items that the goal moves"
    for phrase in named:
        movable = {k for k in meant(spec, phrase) if not spec.items[k].fixed}
        left = movable - moved
        if phrase.all and phrase.where is None and movable & moved and left:
            problem = (
                f"the instruction refers to all {plural(str(phrase))}, but the goal leaves "
                f"{len(left)} of them in place"
            )
            yield problem, "Say how many, or move them all"


def _wrong_number(spec: TaskSpec, goal: Goal, phrase: Phrase, below: set[int]) -> Problems:
    """Check that a number equals the count of moved or present objects of that kind."""
    named = set(meant(spec, phrase))
    moved = named & set(goal.items)
    there = {len(moved)} if moved else {len(named), len(below & named)}
    if phrase.number is not None and named and phrase.number not in there:
        wrong = f"{phrase.number} {plural(str(phrase))}"
        yield (
            f"the instruction says {wrong}, but the goal has {max(there)}",
            "State how many of them the goal refers to",
        )


def _wrong_relation(spec: TaskSpec, goal: Goal, phrase: Phrase, below: set[int]) -> Problems:
    """Check that the object after "in", "on" or "beside" is a target with that relation."""
    named = set(meant(spec, phrase))
    within = _within(spec, goal) & named
    upon = (below - _only_frames(spec, goal)) & named
    if phrase.where == "inside":
        hollow = any(spec.items[k].asset.opening is not None for k in named)
        wrong = hollow and not within and not _owned(spec, goal, named)
    elif phrase.where == "on":
        solid = any(not spec.geometry(k).flat for k in named)
        wrong = solid and not within and not upon
    else:
        stands = goal.relation == "on" or not _owned(spec, goal, named)
        wrong = bool(within) or (stands and bool(upon) and goal.relation in ("on", "inside"))
    if named and wrong:
        problem = (
            f"the instruction says {phrase.where} the {phrase}, but the goal does not put its "
            f"items {phrase.where} it"
        )
        yield problem, "Use a preposition that matches at=, on=, inside= or along="


_SPOT = re.compile(
    r"(?<!side )\b(?:in|at|on|into|to|along|by|near) "
    r"(?:(?:the|a|an|each|every|its|one|own|very|two|four|left|right|far|near|opposite) )*"
    r"(corner|middle|center|centre|edge|side|half|halves|end|row|line|circle|ring|square|triangle)"
    r"s?\b"
)


_SHAPES = {"square": "square", "round": "circle"}
"""Shape of a zone -> what it may be called."""


def _wrong_spot(spec: TaskSpec, goal: Goal) -> Problems:
    """`inside=` and `on=` do not judge where in or on it, so the instruction must not say so."""
    text = goal.instruction.lower()
    found = _SPOT.search(text)
    judged = any(place.exact or place.part for place in goal.places)
    if goal.relation not in ("inside", "on") or found is None or (judged and goal.relation == "on"):
        return
    before = text[: found.start()].split()
    bases = [spec.items[place.base].asset for place in goal.places if place.base is not None]
    nouns = {noun.lower() for asset in bases for noun in asset.called}
    if before and before[-1] in nouns and not re.search(r"\b(its|each|every)\b", found.group()):
        return  # it says which zone or container: "the zone at one end of the line"
    named = {noun.lower() for item in spec.items for noun in item.asset.called}
    called = {_SHAPES[asset.shape] for asset in bases if isinstance(asset, Zone)}
    if found.group(1) not in named | called:
        said, inside = found.group(), goal.relation == "inside"
        problem = f"the instruction says {said!r}, but {goal.relation}= does not judge where"
        remedy = "give poses with at=" if inside else 'use part=, such as "middle"'
        yield problem, f"Leave it out of the instruction, or {remedy}"


_DIRECTION = re.compile(r"\b(left of|right of|in front of|behind)\b")


def _wrong_arrangement(spec: TaskSpec, goal: Goal, named: list[Phrase]) -> Problems:
    """A goal about a row, a circle or a side must not say another arrangement."""
    text = goal.instruction.lower()
    sides = set(_DIRECTION.findall(text)) if goal.relation in DIRECTIONS else set()
    if sides and goal.relation not in sides:
        problem = f"the instruction says {min(sides)}, but the goal asks for {goal.relation}"
        yield problem, "Make both agree"
    said = []
    if goal.relation in _ARRANGED:
        pattern, name = _ARRANGED[goal.relation]
        said += [name] if pattern.search(text) else []
    if goal.relation in (*REGIONS, *GROUPS) and goal.relation != "between":
        for phrase in named:
            others = set(meant(spec, phrase)) - set(goal.items)
            found = _between(phrase).search(text) if len(others) > 1 else None
            said += [found.group()] if found else []
    for what in said:
        problem = f"the instruction says {what}, but the goal asks for {goal.relation!r}"
        yield problem, "Make both agree"


def _between(phrase: Phrase) -> re.Pattern[str]:
    """Matches a sentence that puts something between things of that name."""
    return re.compile(rf"\bbetween (?:the )?(?:two )?{re.escape(str(phrase))}(?:s|es)\b")


_CIRCLE = re.compile(r"\bin a (?:circle|ring)\b|\b(?:circle|ring) (?:a)?round\b")
_ROW = re.compile(r"\bin (?:a|one) (?:straight )?(?:row|line)\b")
_ARRANGED = {"row": (_CIRCLE, "a circle"), "around": (_ROW, "a row")}
"""By relation, what its sentence must not say."""
_FIRST = re.compile(r"first(?: of all)?,|to begin|start by")
_LAST = re.compile(r"last of all|lastly|finally|at last")


def _wrong_order(spec: TaskSpec, goal: Goal, number: int) -> Problems:
    """Goals are met in order, so a sentence must not claim another position."""
    text = goal.instruction.lower()
    first, last = _FIRST.match(text), _LAST.match(text)
    if (first and number > 1) or (last and number < len(spec.goals)):
        problem = (
            f"the instruction begins with {text.split(',')[0]!r:.40}, but it is number {number} of "
            f"{len(spec.goals)}"
        )
        yield problem, "Declare goals in the order in which they are to be met"


def _misplaced(spec: TaskSpec, goal: Goal, named: list[Phrase]) -> Iterator[str]:
    """Arrangements and directions that the sentence states and the goal's poses contradict."""
    text = goal.instruction.lower()
    start = spec.start_snapshot
    poses = [target_of(spec, goal, place, start) for place in goal.places]
    points = np.array([(pose.x, pose.y) for pose in poses])
    middle = points.mean(axis=0)
    if len(points) >= 3 and _CIRCLE.search(text):
        away = np.linalg.norm(points - middle, axis=1)
        if away.min() < 0.7 * away.max():
            yield "a circle"
    if len(points) >= 3 and _ROW.search(text):
        across = np.linalg.svd(points - middle, compute_uv=False)[1]
        if across > POSITION_TOLERANCE * len(points):
            yield "a row"
    for phrase in named:
        fixed = [k for k in meant(spec, phrase) if spec.items[k].fixed]
        spots = np.array([(spec.items[k].start.x, spec.items[k].start.y) for k in fixed])
        name = re.escape(str(phrase))
        side = re.search(rf"\b(left|right)(?: hand)?(?: side)? of (?:the )?{name}\b", text)
        # In the image from above y grows to the right.
        if len(fixed) == 1 and side and (middle[1] > spots[0, 1]) != (side.group(1) == "right"):
            yield f"{side.group()}, as the picture shows it"
        between = _between(phrase).search(text)
        if len(fixed) == 2 and between:
            way = spots[1] - spots[0]
            along = (points - spots[0]) @ way / max(float(way @ way), 1e-9)
            if not ((along > 0) & (along < 1)).all():
                yield between.group()


def _owned(spec: TaskSpec, goal: Goal, named: set[int]) -> bool:
    """Whether poses are relative to an asset without an opening, such as a kit board."""
    bases = goal.bases & named
    return goal.relation == "at" and any(spec.items[k].asset.opening is None for k in bases)


def _only_frames(spec: TaskSpec, goal: Goal) -> set[int]:
    """Solid items that only serve as the frame of poses on the table."""
    low = {place.base for place in goal.places if place.pose.z < HEIGHT_TOLERANCE / 2}
    return {
        k for k in low
        if k is not None and goal.relation == "at"
        and not (spec.geometry(k).flat or spec.items[k].asset.hollow)
    }  # fmt: skip


def _within(spec: TaskSpec, goal: Goal) -> set[int]:
    """Containers, bowls and zones in which items end, by relation or by their poses."""
    if goal.relation == "inside":
        return {place.base for place in goal.places if place.base is not None}
    start = spec.start_snapshot
    found: set[int] = set()
    if goal.relation in (*REGIONS, *GROUPS):
        return found
    for k, item in enumerate(spec.items):
        opening = item.asset.opening
        if opening is None or not (item.fixed or isinstance(item.asset, Zone)):
            continue
        for place in goal.places:
            local = item.start.inverse() @ target_of(spec, goal, place, start)
            if shapely.contains_xy(opening, local.x, local.y):
                found.add(k)
    return found


def done_at_start(spec: TaskSpec) -> float:
    """Share of a task, 0 to 1, that is done or nearly done at the start."""
    start = spec.start_snapshot
    moved: set[int] = set()
    shares: list[float] = []
    judge = Judge(spec)
    for goal in spec.goals:
        first = goal.items[0]
        if first in start.bodies:
            crumbs = start.bodies[first]
            if goal.relation == "along":
                shares.append(beads_along(spec, goal, start))
            else:
                inside = [crumbs_inside(spec, base, crumbs, start) for base in sorted(goal.bases)]
                shares.append(float(np.any(inside, axis=0).mean()))
        else:
            shares += _near(spec, goal, moved, judge)
        moved |= set(goal.items)
    return sum(shares) / len(shares)


def _near(spec: TaskSpec, goal: Goal, moved: set[int], judge: Judge) -> list[float]:
    """For each item of a goal 1.0 if it is nearly in place at the start, else 0.0."""
    start = spec.start_snapshot
    number = spec.goals.index(goal)
    placed = judge.in_place(number, start)
    left = dict(judge.left(number, start))
    shares = []
    for item in goal.items:
        near = item in placed
        if item in left and goal.relation in ("at", "on") and left[item].pattern is None:
            want = target_of(spec, goal, left[item], start)
            have = start.poses[item]
            level = abs(have.z - want.z) < HEIGHT_TOLERANCE
            turn = wrap(have.yaw - want.yaw, spec.items[item].asset.symmetry)
            turned = left[item].heading and abs(turn) >= 2 * YAW_TOLERANCE
            near = level and have.distance(want) < NEAR and not turned
        shares.append(float(near and item not in moved))
    return shares
