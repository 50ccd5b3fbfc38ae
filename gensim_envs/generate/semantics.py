"""Does a sentence say what its goal is? What can be told without a model.

`task/checks.py` sees that the colours, kinds and numbers which a sentence names are there at all.
Here is whether each has the part that the sentence gives it: what is moved, and in, on or beside
what. What it cannot tell, such as an order among places, is left to a reader; see `reflect.py`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely

from gensim_envs.task.assets import COLORS, Zone
from gensim_envs.task.checks import NUMBERS, plural, supports
from gensim_envs.task.errors import TaskError
from gensim_envs.task.goals import (
    HEIGHT_TOLERANCE,
    POSITION_TOLERANCE,
    YAW_TOLERANCE,
    Array,
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
_PART = (
    r"\b(?:on|in|at|to|into|onto|along|across) (?:(?:the|its|each|one|both|opposite|either|two|four|"
    r"left|right|near|far|other|open|same|outer|inner|upper|lower|top|bottom|front|back) )*"
    r"(?:sides?|middles?|centers?|centres?|ends?|edges?|corners?|half|halves|tip|foot|head) of\b"
)
_SAID_OTHERWISE = (
    (_PART, "at"),
    (r"\bon top of\b", "onto"),
    (r"\b(?:next to|in front of|close to|to the (?:left|right) of|(?:left|right) of)\b", "beside"),
    (r"\binside of\b", "inside"),
    (r"\bout of\b", "from"),
)
"""Phrases that stand for one word; halves of things are places of which nothing is known."""
_MEANS = {
    **dict.fromkeys(("in", "into", "inside", "within"), "inside"),
    **dict.fromkeys(("on", "onto", "upon", "atop"), "on"),
    **dict.fromkeys(
        ("beside", "near", "behind", "between", "around", "under", "beneath", "below", "outside"),
        "beside",
    ),
    **dict.fromkeys(("at", "from", "with", "against", "to", "along", "across", "off", "over"), ""),
}
"""What each preposition says about where something is to be."""
_ALL = {"all", "every", "both"}
_FILLERS = {
    *("the", "a", "an", "its", "their", "each", "one", "this", "that", "these", "those", "other"),
    *("same", "own", "matching", "first", "second", "third", "fourth", "last", "next", "remaining"),
    *("new", "large", "small", "middle", "big", "little", "long", "short", "tall", "low", "wide"),
    *(
        "narrow",
        "round",
        "square",
        "spare",
        "upper",
        "lower",
        "painted",
        "wooden",
        "outer",
        "inner",
    ),
    *("empty", "open", "movable"),
}
"""Words that may stand between a preposition and its noun."""


@dataclass(frozen=True)
class Phrase:
    """A thing as a sentence names it.

    Attributes:
        where: "inside", "on", "beside", "" for another preposition, None for no preposition.
        all: whether it says all, every or both.
        number: how many it says, or None.
        color: that it names, or None.
        noun: in the singular.
    """

    where: str | None
    all: bool
    number: int | None
    color: str | None
    noun: str

    def __str__(self) -> str:
        return f"{self.color} {self.noun}" if self.color else self.noun


def phrases(spec: TaskSpec, sentence: str) -> list[Phrase]:
    """What a sentence says about the things that are on the table, in its order."""
    text = " ".join(sentence.lower().replace("grey", "gray").split())
    for pattern, word in _SAID_OTHERWISE:
        text = re.sub(pattern, word, text)
    nouns = _nouns(frozenset(noun for item in spec.items for noun in item.asset.called))
    found, end = [], 0
    for said in nouns.finditer(text):
        before = re.findall(r"[a-z0-9-]+|[,;:.]", text[end : said.start()])
        found.append(_phrase(before, said.group(1)))
        end = said.end()
    return found


@functools.lru_cache(maxsize=1000)
def _nouns(names: frozenset[str]) -> re.Pattern[str]:
    """Finds any of the nouns, the longest that fits, in singular and plural."""
    options = {name.lower(): rf"{re.escape(name.lower())}" for name in names}
    ordered = sorted(options, key=lambda name: (-len(name), name))
    ends = "|".join(f"{options[name]}(?=s?\\b|es\\b)" for name in ordered)
    return re.compile(rf"\b({ends})(?:es|s)?\b")


def _phrase(before: list[str], noun: str) -> Phrase:
    """A noun with the words that belong to it, read backwards from it."""
    where, every, number, color = None, False, None, None
    for word, ahead in zip(reversed(before), [*reversed(before[:-1]), ""], strict=True):
        if word == "of" and (ahead in _ALL or ahead in NUMBERS):
            continue  # "both of the", "two of the"
        if word in COLORS:
            color = color or word
        elif word in _ALL:
            every = True
        elif word in NUMBERS or word.isdecimal():
            number = NUMBERS.get(word) or int(word)
        elif word in _MEANS:
            where = _MEANS[word]
            break
        elif word not in _FILLERS:
            break
    return Phrase(where, every, number, color, noun)


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
        _check_shape(spec, goal, number)
        for phrase in said:
            _check_there(spec, number, phrase)
            _check_number(spec, goal, number, phrase)
            if phrase.where and not set(_named(spec, phrase)) & set(goal.items):
                _check_where(spec, goal, number, phrase, below[number - 1])


def _named(spec: TaskSpec, phrase: Phrase) -> Iterator[int]:
    """Items that a phrase can mean."""
    for k, item in enumerate(spec.items):
        nouns = {noun.lower() for noun in item.asset.called}
        if phrase.noun in nouns and phrase.color in (None, item.asset.color):
            yield k


def _check_movers(spec: TaskSpec, goal: Goal, number: int, said: list[Phrase]) -> None:
    """What a sentence names before any preposition is what its goal moves."""
    movers = [set(_named(spec, phrase)) for phrase in said if not phrase.where]
    if said and said[0].where is None and not any(named & set(goal.items) for named in movers):
        phrase = said[0]
        if set(_named(spec, phrase)):
            raise _mismatch(
                number,
                f"its sentence speaks of the {phrase}, but another thing is moved",
                "Let the sentence name what the goal moves",
            )
    for phrase in said:
        named = {k for k in _named(spec, phrase) if not spec.items[k].fixed}
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
    if phrase.color and not any(True for _ in _named(spec, phrase)):
        raise _mismatch(
            number,
            f"its sentence says {str(phrase)!r}, but no {phrase.noun} is {phrase.color}",
            "Name things by their own colors",
        )


def _check_number(spec: TaskSpec, goal: Goal, number: int, phrase: Phrase) -> None:
    """A number before a noun is how many of these are moved, or else how many there are."""
    named = set(_named(spec, phrase))
    bases = {place.base for place in goal.places} & named
    moved = named & set(goal.items)
    there = {len(moved)} if moved else {len(named), len(bases)}
    if phrase.number is not None and named and phrase.number not in there:
        raise _mismatch(
            number,
            f"its sentence says {phrase.number} {plural(str(phrase))}, but it is {max(there)}",
            "Say how many of them the goal is about",
        )


def _check_where(spec: TaskSpec, goal: Goal, number: int, phrase: Phrase, below: set[int]) -> None:
    """A thing named after in, on or beside is that in, on or beside which the items come to be."""
    named = set(_named(spec, phrase))
    assets = [spec.items[k].asset for k in named]
    within = _within(spec, goal) & named
    upon = (below | {p.base for p in goal.places if p.base is not None}) & named
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
    r"\b(?:in|at|on|into|to|along|by|near) (?:(?:the|a|an|each|every|its|one|own|very|two|four|left|"
    r"right|far|near|opposite) )*(corner|middle|center|centre|edge|side|half|halves|end|row|line|"
    r"circle|ring|square|triangle)s?\b"
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


_SIDES = re.compile(
    rf"\b(left|right)(?: hand)?(?: side)? of (?:the |a )?(?:({'|'.join(COLORS)}) )?([\w -]+?)\b(?!-)"
)
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


def _check_shape(spec: TaskSpec, goal: Goal, number: int) -> None:
    """Where a sentence says circle, row, left, right or between, the poses must be so."""
    if goal.relation != "at":
        return
    text = goal.instruction.lower()
    points = np.array([(place.pose.x, place.pose.y) for place in goal.places])
    if len(points) >= 3 and re.search(
        r"\bin a (?:circle|ring)\b|\b(?:circle|ring) (?:a)?round\b", text
    ):
        away = np.linalg.norm(points - points.mean(0), axis=1)
        if away.min() < 0.7 * away.max():
            raise _misplaced(number, "a circle")
    if len(points) >= 3 and re.search(r"\bin (?:a|one) (?:straight )?(?:row|line)\b", text):
        thin = np.linalg.svd(points - points.mean(0), compute_uv=False)[1]
        if thin > POSITION_TOLERANCE * len(points):
            raise _misplaced(number, "a row")
    for side, color, noun in _SIDES.findall(text):
        named = [k for k in _named(spec, Phrase(None, False, None, color or None, noun)) if
                 spec.items[k].fixed]  # fmt: skip
        if len(named) == 1:
            beyond = points[:, 1].mean() - spec.items[named[0]].start.y
            if (beyond > 0) != (side == "right"):
                raise _misplaced(number, f"{side} of the {noun}, as the picture shows it")
    _check_between(spec, goal, number, points)


def _check_between(spec: TaskSpec, goal: Goal, number: int, points: Array) -> None:
    for phrase in phrases(spec, goal.instruction):
        named = [k for k in _named(spec, phrase) if spec.items[k].fixed]
        said = re.search(
            rf"\bbetween (?:the )?(?:two )?{re.escape(str(phrase))}s\b", goal.instruction
        )
        if said and len(named) == 2:
            a, b = (np.array([spec.items[k].start.x, spec.items[k].start.y]) for k in named)
            along = (points - a) @ (b - a) / max(float((b - a) @ (b - a)), 1e-9)
            if not ((along > 0) & (along < 1)).all():
                raise _misplaced(number, f"between the {phrase}s")


def _misplaced(number: int, where: str) -> TaskError:
    return _mismatch(
        number, f"its sentence says {where}, but its places are not", "Let both say the same"
    )


def _owned(spec: TaskSpec, goal: Goal, named: set[int]) -> bool:
    """Whether poses are given in the frame of a thing that has no opening: a kit, a fixture."""
    bases = {place.base for place in goal.places} & named
    return goal.relation == "at" and any(spec.items[k].asset.opening is None for k in bases if k)


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
