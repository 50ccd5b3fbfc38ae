"""What a sentence says about the things on the table: which, how many, in, on or beside what."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from gensim_envs.task.assets import COLORS
from gensim_envs.task.checks import NUMBERS
from gensim_envs.task.spec import TaskSpec

_PART = (
    r"\b(?:on|in|at|to|into|onto|along|across) (?:(?:the|its|each|one|both|opposite|"
    r"either|two|four|left|right|near|far|other|open|same|outer|inner|upper|lower|top|"
    r"bottom|front|back) )*"
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
    *("narrow", "round", "square", "spare", "upper", "lower", "painted", "wooden", "outer"),
    *("inner", "empty", "open", "movable"),
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
    backwards = before[::-1]
    for word, ahead in itertools.zip_longest(backwards, backwards[1:]):
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


def meant(spec: TaskSpec, phrase: Phrase) -> Iterator[int]:
    """Items that a phrase can mean."""
    for k, item in enumerate(spec.items):
        nouns = {noun.lower() for noun in item.asset.called}
        if phrase.noun in nouns and phrase.color in (None, item.asset.color):
            yield k
