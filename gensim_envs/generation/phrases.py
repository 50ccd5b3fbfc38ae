"""Find the objects that a sentence names, with their number, colour and preposition."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from gensim_envs.task.assets import COLORS
from gensim_envs.task.checks.sentences import NUMBERS, plural
from gensim_envs.task.spec import TaskSpec

_PART = (
    r"\b(?:on|in|at|to|into|onto|along|across) (?:(?:the|its|each|one|both|opposite|"
    r"either|two|four|left|right|near|far|other|open|same|outer|inner|upper|lower|top|"
    r"bottom|front|back) )*"
    r"(?:sides?|middles?|centers?|centres?|ends?|edges?|corners?|half|halves|tip|foot|head) of\b"
)
_SYNONYMS = (
    (_PART, "at"),
    (r"\bon top of\b", "onto"),
    (r"\b(?:next to|in front of|close to|to the (?:left|right) of|(?:left|right) of)\b", "beside"),
    (r"\binside of\b", "inside"),
    (r"\bout of\b", "from"),
)
"""(pattern, the one word that it stands for). Parts of things are places without a name."""
_MEANS = {
    **dict.fromkeys(("in", "into", "inside", "within"), "inside"),
    **dict.fromkeys(("on", "onto", "upon", "atop"), "on"),
    **dict.fromkeys(
        ("beside", "near", "behind", "between", "around", "under", "beneath", "below", "outside"),
        "beside",
    ),
    **dict.fromkeys(("at", "from", "with", "against", "to", "along", "across", "off", "over"), ""),
}
"""The relation that each preposition states; "" for none."""
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
    """A noun phrase of a sentence.

    Attributes:
        where: "inside", "on", "beside", "" for another preposition, None for no preposition.
        all: whether it contains all, every or both.
        number: the number in it, or None.
        color: the colour in it, or None.
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
    """The phrases of a sentence that name objects on the table, in order."""
    text = " ".join(sentence.lower().replace("grey", "gray").split())
    for pattern, word in _SYNONYMS:
        text = re.sub(pattern, word, text)
    singular, nouns = _nouns(frozenset(noun for item in spec.items for noun in item.asset.called))
    found, end = [], 0
    for noun in nouns.finditer(text):
        before = re.findall(r"[a-z0-9-]+|[,;:.]", text[end : noun.start()])
        found.append(_phrase(before, singular[noun.group(1)]))
        end = noun.end()
    return found


@functools.lru_cache(maxsize=1000)
def _nouns(names: frozenset[str]) -> tuple[dict[str, str], re.Pattern[str]]:
    """The singular of each form of the nouns, and a pattern that prefers the longest form."""
    low = sorted({name.lower() for name in names})
    singular = {form: n for n in low for form in (plural(n), f"{n}es", f"{n}s")}
    singular |= {n: n for n in low}
    forms = sorted(singular, key=lambda form: (-len(form), form))
    return singular, re.compile(rf"\b({'|'.join(map(re.escape, forms))})\b")


def _phrase(before: list[str], noun: str) -> Phrase:
    """A noun with its modifiers, which are read backwards from it."""
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
    """The items that a phrase can refer to: those that are usually called so, if there are any."""
    named = [
        (k, noun.lower())
        for k, item in enumerate(spec.items)
        if phrase.color in (None, item.asset.color)
        for noun in item.asset.called
        if noun.lower() == phrase.noun
    ]
    usual = [k for k, noun in named if noun == spec.items[k].asset.called[0].lower()]
    yield from usual or [k for k, _ in named]
