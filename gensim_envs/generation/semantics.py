"""Does a sentence say what its goal is? What can be told without a model.

`task/checks.py` sees that the colours, kinds and numbers which a sentence names are there at all.
Here is whether each has the part that the sentence gives it: what is moved, and in, on or beside
what. What it cannot tell, such as an order among places, is left to a reader; see `reflect.py`.
"""

from __future__ import annotations

import re

import numpy as np
import shapely

from gensim_envs.errors import TaskError
from gensim_envs.generation.phrases import Phrase, meant, phrases
from gensim_envs.task.assets import Zone
from gensim_envs.task.checks import plural, supports
from gensim_envs.task.goals import (
    HEIGHT_TOLERANCE,
    POSITION_TOLERANCE,
    YAW_TOLERANCE,
    Goal,
    beads_along,
    crumbs_inside,
    match,
    target_of,
    unmet,
)
from gensim_envs.task.pose import wrap
from gensim_envs.task.spec import TaskSpec

NEAR = 0.03
"""Metres from its place at which a thing is as good as there."""


def check_sentences(spec: TaskSpec) -> None:
    """That every sentence gives the things it names the part that they have.

    Raises:
        TaskError: with cause "semantics", naming goal and phrase.
    """
    below = supports(spec)
    for number, goal in enumerate(spec.goals, 1):
        said = phrases(spec, goal.instruction)
        _check_movers(spec, goal, number, said)
        _check_turn(spec, goal, number)
        _check_spot(spec, goal, number)
        if goal.relation == "at":
            _check_layout(spec, goal, number, said)
        for phrase in said:
            _check_there(spec, number, phrase)
            _check_number(spec, goal, number, phrase, below[number - 1])
            if phrase.where and not set(meant(spec, phrase)) & set(goal.items):
                _check_where(spec, goal, number, phrase, below[number - 1])


def _check_movers(spec: TaskSpec, goal: Goal, number: int, said: list[Phrase]) -> None:
    """What a sentence names before any preposition is what its goal moves."""
    movers = [set(meant(spec, phrase)) for phrase in said if not phrase.where]
    if said and said[0].where is None and not any(named & set(goal.items) for named in movers):
        phrase = said[0]
        if set(meant(spec, phrase)):
            raise _mismatch(
                number,
                f"its sentence speaks of the {phrase}, but another thing is moved",
                "Let the sentence name what the goal moves",
            )
    for phrase in said:
        named = {k for k in meant(spec, phrase) if not spec.items[k].fixed}
        left = named - set(goal.items)
        if phrase.all and phrase.where is None and named & set(goal.items) and left:
            raise _mismatch(
                number,
                f"its sentence speaks of all of {plural(str(phrase))}, but {len(left)} more of "
                "them are on the table",
                "Say how many, or move them all",
            )


def _check_there(spec: TaskSpec, number: int, phrase: Phrase) -> None:
    """What is named by colour and noun is there in that colour."""
    if phrase.color and not any(True for _ in meant(spec, phrase)):
        raise _mismatch(
            number,
            f"its sentence says {str(phrase)!r}, but no {phrase.noun} is {phrase.color}",
            "Name things by their own colors",
        )


def _check_number(spec: TaskSpec, goal: Goal, number: int, phrase: Phrase, below: set[int]) -> None:
    """A number before a noun is how many of these are moved, or else how many there are."""
    named = set(meant(spec, phrase))
    moved = named & set(goal.items)
    there = {len(moved)} if moved else {len(named), len(below & named)}
    if phrase.number is not None and named and phrase.number not in there:
        raise _mismatch(
            number,
            f"its sentence says {phrase.number} {plural(str(phrase))}, but it is {max(there)}",
            "Say how many of them the goal is about",
        )


def _check_where(spec: TaskSpec, goal: Goal, number: int, phrase: Phrase, below: set[int]) -> None:
    """A thing named after in, on or beside is that in, on or beside which the items come to be."""
    named = set(meant(spec, phrase))
    assets = [spec.items[k].asset for k in named]
    within = _within(spec, goal) & named
    upon = (below - _only_frames(spec, goal)) & named
    if phrase.where == "inside":
        holds = any(asset.opening is not None for asset in assets)
        wrong = holds and not within and not _owned(spec, goal, named)
    elif phrase.where == "on":
        solid = any(not spec.geometry(k).flat for k in named)
        wrong = solid and not within and not upon
    else:
        stands = goal.relation == "on" or not _owned(spec, goal, named)
        wrong = bool(within) or (stands and bool(upon) and goal.relation in ("on", "inside"))
    if named and wrong:
        raise _mismatch(
            number,
            f"its sentence says {phrase.where} the {phrase}, but its items do not come to be "
            f"{phrase.where} it",
            "Let the sentence say what at=, on=, inside= or along= says",
        )


_SPOT = re.compile(
    r"\b(?:in|at|on|into|to|along|by|near) (?:(?:the|a|an|each|every|its|one|own|very|two|"
    r"four|left|right|far|near|opposite) )*(corner|middle|center|centre|edge|side|half|halves|end|"
    r"row|line|circle|ring|square|triangle)s?\b"
)


def _check_spot(spec: TaskSpec, goal: Goal, number: int) -> None:
    """`inside=` judges that things are inside, so a sentence must not say where inside."""
    found = _SPOT.search(goal.instruction.lower())
    if goal.relation != "inside" or found is None:
        return
    word = found.group(1)
    before = goal.instruction.lower()[: found.start()].split()
    bases = {noun for place in goal.places for noun in _nouns_of(spec, place.base)}
    if before and before[-1] in bases and not re.search(r"\b(its|each|every)\b", found.group()):
        return  # it says which zone or container: "the zone at one end of the line"
    named = {noun.lower() for item in spec.items for noun in item.asset.called}
    called = {_shape_of(spec, place.base) for place in goal.places}
    if word not in named | called:
        raise _mismatch(
            number,
            f"its sentence says {found.group()!r}, but inside= does not judge where inside",
            "Leave it out of the sentence, or give poses with at=",
        )


def _nouns_of(spec: TaskSpec, item: int | None) -> set[str]:
    return set() if item is None else {noun.lower() for noun in spec.items[item].asset.called}


def _shape_of(spec: TaskSpec, base: int | None) -> str:
    """By what shape a zone may be called."""
    asset = spec.items[base or 0].asset
    return {"square": "square", "round": "circle"}[asset.shape] if isinstance(asset, Zone) else ""


_CIRCLE = re.compile(r"\bin a (?:circle|ring)\b|\b(?:circle|ring) (?:a)?round\b")
_ROW = re.compile(r"\bin (?:a|one) (?:straight )?(?:row|line)\b")
_FIRST = re.compile(r"first(?: of all)?,|to begin|start by")
_LAST = re.compile(r"last of all|lastly|finally|at last")


def _check_turn(spec: TaskSpec, goal: Goal, number: int) -> None:
    """Goals are met in their order, so a sentence must not claim another turn."""
    text = goal.instruction.lower()
    first, last = _FIRST.match(text), _LAST.match(text)
    if (first and number > 1) or (last and number < len(spec.goals)):
        raise _mismatch(
            number,
            f"its sentence begins with {text.split(',')[0]!r:.40}, but it is number {number} of "
            f"{len(spec.goals)}",
            "Declare goals in the order in which they are to be met",
        )


def _check_layout(spec: TaskSpec, goal: Goal, number: int, said: list[Phrase]) -> None:
    """Where a sentence says circle, row, left, right or between, the poses must be so."""
    text = goal.instruction.lower()
    points = np.array([(place.pose.x, place.pose.y) for place in goal.places])
    middle = points.mean(axis=0)
    if len(points) >= 3 and _CIRCLE.search(text):
        away = np.linalg.norm(points - middle, axis=1)
        if away.min() < 0.7 * away.max():
            raise _misplaced(number, "a circle")
    if len(points) >= 3 and _ROW.search(text):
        across = np.linalg.svd(points - middle, compute_uv=False)[1]
        if across > POSITION_TOLERANCE * len(points):
            raise _misplaced(number, "a row")
    for phrase in said:
        fixed = [k for k in meant(spec, phrase) if spec.items[k].fixed]
        spots = np.array([(spec.items[k].start.x, spec.items[k].start.y) for k in fixed])
        name = re.escape(str(phrase))
        side = re.search(rf"\b(left|right)(?: hand)?(?: side)? of (?:the )?{name}\b", text)
        # In the picture from above y grows to the right.
        if len(fixed) == 1 and side and (middle[1] > spots[0, 1]) != (side.group(1) == "right"):
            raise _misplaced(number, f"{side.group()}, as the picture shows it")
        between = re.search(rf"\bbetween (?:the )?(?:two )?{name}(?:s|es)\b", text)
        if len(fixed) == 2 and between:
            way = spots[1] - spots[0]
            along = (points - spots[0]) @ way / max(float(way @ way), 1e-9)
            if not ((along > 0) & (along < 1)).all():
                raise _misplaced(number, between.group())


def _misplaced(number: int, where: str) -> TaskError:
    return _mismatch(
        number, f"its sentence says {where}, but its places are not", "Let both say the same"
    )


def _owned(spec: TaskSpec, goal: Goal, named: set[int]) -> bool:
    """Whether poses are given in the frame of a thing that has no opening: a kit, a fixture."""
    bases = {place.base for place in goal.places} & named
    return goal.relation == "at" and any(
        spec.items[k].asset.opening is None for k in bases if k is not None
    )


def _only_frames(spec: TaskSpec, goal: Goal) -> set[int]:
    """Solid things in whose frame poses are given that are on the table all the same."""
    low = {place.base for place in goal.places if place.pose.z < HEIGHT_TOLERANCE / 2}
    return {
        k for k in low
        if k is not None and goal.relation == "at"
        and not (spec.geometry(k).flat or spec.items[k].asset.hollow)
    }  # fmt: skip


def _within(spec: TaskSpec, goal: Goal) -> set[int]:
    """Containers, bowls and zones in which items come to be, by relation or by their poses."""
    if goal.relation == "inside":
        return {place.base for place in goal.places if place.base is not None}
    start = spec.start_snapshot()
    found = set()
    for k, item in enumerate(spec.items):
        opening = item.asset.opening
        if opening is None or not (item.fixed or isinstance(item.asset, Zone)):
            continue
        for place in goal.places:
            local = item.start.inverse() @ target_of(spec, goal, place, start)
            if shapely.contains_xy(opening, local.x, local.y):
                found.add(k)
    return found


def _mismatch(number: int, problem: str, remedy: str) -> TaskError:
    return TaskError(problem, remedy, cause="semantics", goal=number)


def done_at_start(spec: TaskSpec) -> float:
    """Share of a task, 0..1, that is done, or within 3 cm of it, before anything has moved."""
    start = spec.start_snapshot()
    moved: set[int] = set()
    shares: list[float] = []
    for goal in spec.goals:
        first = goal.items[0]
        if first in start.bodies:
            crumbs = start.bodies[first]
            if goal.relation == "along":
                shares.append(beads_along(goal, crumbs))
            else:
                bases = {place.base for place in goal.places if place.base is not None}
                inside = [crumbs_inside(spec, base, crumbs, start) for base in sorted(bases)]
                shares.append(float(np.any(inside, axis=0).mean()))
        else:
            shares += _near(spec, goal, moved)
        moved |= set(goal.items)
    return sum(shares) / len(shares)


def _near(spec: TaskSpec, goal: Goal, moved: set[int]) -> list[float]:
    """For each item of a goal 1.0 where it is as good as there at the start, else 0.0."""
    start = spec.start_snapshot()
    left = dict(unmet(spec, goal, start))
    placed = match(spec, goal, start)
    shares = []
    for item in goal.items:
        near = item in placed and item not in left
        if item in left and goal.relation != "inside":
            want = target_of(spec, goal, left[item], start)
            have = start.poses[item]
            level = abs(have.z - want.z) < HEIGHT_TOLERANCE
            turn = wrap(have.yaw - want.yaw, spec.items[item].asset.symmetry)
            near = level and have.distance(want) < NEAR and abs(turn) < 2 * YAW_TOLERANCE
        shares.append(float(near and item not in moved))
    return shares
