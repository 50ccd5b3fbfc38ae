"""Check that a goal's sentence names colours, counts and kinds that the goal has."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from shapely import Point

from gensim_envs.errors import TaskError
from gensim_envs.task.assets import ASSETS, COLORS, Mark
from gensim_envs.task.goals import REGION_REACH, Goal
from gensim_envs.task.spec import TaskSpec

NUMBERS = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12,
}  # fmt: skip
_OTHER_SENSES = {
    "base", "board", "circle", "corner", "flower", "heap", "hexagon", "mark", "object", "outline",
    "pentagon", "piece",
    "plus", "rectangle", "ring", "square", "spot", "stand", "star", "triangle",
}  # fmt: skip
"""Nouns that sentences also use in other senses, such as shapes, so that they prove nothing."""
NOUNS = sorted(
    sorted({noun.lower() for cls in ASSETS.values() for noun in cls.nouns} - _OTHER_SENSES),
    key=len,
    reverse=True,
)
"""Every noun that proves what a sentence is about, longest first."""


_IRREGULAR = (("knife", "knives"), ("loaf", "loaves"), ("scissors", "scissors"))
_BEFORE_VOWEL = re.compile(r"(?<!letter )\b([Aa]) (?=(?!one\b|once\b|eu)[aeio])")


def plural(name: str) -> str:
    """The English plural of an asset's name."""
    for ending, form in _IRREGULAR:
        if name.endswith(ending):
            return name.removesuffix(ending) + form
    if re.search(r"[^aeiou]y$", name):
        return name[:-1] + "ies"
    return name + ("es" if name.endswith(("x", "s", "sh", "ch")) else "s")


def with_articles(text: str) -> str:
    """A sentence that says "an orange block" where the program wrote "a" before any colour."""
    return _BEFORE_VOWEL.sub(r"\1n ", text)


_SINGULAR = {form: noun for noun in NOUNS for form in (noun, plural(noun))}
_ANY_NOUN = re.compile(
    rf"\b({'|'.join(map(re.escape, sorted(_SINGULAR, key=len, reverse=True)))})\b"
)

_FROM = re.compile(r"\b(?:from|off|out of)\b")
_UNIT = r"(?:mm|cm|m|millimet(?:er|re)s?|centimet(?:er|re)s?|met(?:er|re)s?|degrees?)"
_MEASURE = re.compile(rf"\b(?:\d+(?:\.\d+)?|{'|'.join(NUMBERS)})[ -]?{_UNIT}\b")


def check_sentence(spec: TaskSpec, goal: Goal, supports: set[int]) -> None:
    """Check that each colour, count and kind in the instruction is that of an item or a target.

    What the items come to stand on (`supports`) is a target, too; a sentence may state a rule, say
    from what it takes the items, and say beside or on what fixed thing a mark is.
    Numbers with a unit, such as 8 cm, are not counts.
    Goals that share an instruction are checked as one; `goal` and `supports` are then those of
    them all.
    """
    ruled = {k for rule in spec.rules for k in (*rule.items, *rule.others)}
    used = [*goal.items, *supports, *sorted(ruled), *sorted(_beside_marks(spec, goal))]
    if _FROM.search(goal.instruction.lower()):
        used += sorted(_sources(spec, goal))
    assets = [spec.items[k].asset for k in used]
    text = goal.instruction.lower().replace("grey", "gray")
    words = re.findall(r"[a-z0-9]+(?:-[a-z]+)*", _MEASURE.sub(" ", text))
    for color in COLORS:
        if color in words and color not in {a.color for a in assets if not isinstance(a, Mark)}:
            remedy = "Name only the colours of its items and targets"
            raise _mismatch(f"the colour {color!r}", "no item or target of the goal has it", remedy)
    have = {noun.lower() for asset in assets for noun in asset.called}
    for said in _ANY_NOUN.findall(text):
        noun = _SINGULAR[said]
        if noun not in have:
            remedy = "Name only the kinds of its items and targets"
            raise _mismatch(f"a {noun!r}", "no item or target of the goal is one", remedy)
    _check_counts(spec, goal, words, supports)


def _sources(spec: TaskSpec, goal: Goal) -> set[int]:
    """What the items of a goal stand on or in at the start."""
    found = set()
    for k, base in enumerate(spec.items):
        if base.bodies or k in goal.items:
            continue
        area = spec.footprint(k, base.start)
        for item in (spec.items[i] for i in goal.items):
            if item.start.z >= base.start.z and area.contains(Point(item.start.x, item.start.y)):
                found.add(k)
    return found


def _beside_marks(spec: TaskSpec, goal: Goal) -> set[int]:
    """Fixed things within reach of a mark that the items go to, as for `left_of=`."""
    marks = [spec.items[k].start for k in goal.bases if isinstance(spec.items[k].asset, Mark)]
    return {
        k
        for k, item in enumerate(spec.items)
        if item.fixed and any(item.start.distance(mark) <= REGION_REACH for mark in marks)
    }


def _mismatch(mentioned: str, but: str, remedy: str) -> TaskError:
    return TaskError(f"the instruction mentions {mentioned}, but {but}", remedy, cause="semantics")


def _check_counts(spec: TaskSpec, goal: Goal, words: Sequence[str], supports: set[int]) -> None:
    assets = [spec.items[k].asset for k in goal.items]
    bases = {p.base for p in goal.places if p.base is not None}
    counts = {len(assets), len(goal.places), len(bases)}
    counts |= {assets.count(asset) for asset in assets}
    counts |= {sum(a.color == asset.color for a in assets) for asset in assets}
    counts |= set(Counter(type(item.asset) for item in spec.items if item.fixed).values())
    counts |= set(Counter(type(spec.items[k].asset) for k in supports).values())
    for word in words:
        said = int(word) if word.isdecimal() else NUMBERS.get(word)
        if said is not None and said not in counts:
            remedy = "Give the number of its items or places"
            but = f"the goal has {len(assets)} item(s)"
            raise _mismatch(f"the number {word!r}", but, remedy)
