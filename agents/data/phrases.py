"""The phrases of an instruction that name things, such as "the red block", as numbers.

A phrase is a noun with the colour before it, if any, or a colour alone where no known noun follows.
Policies are told which colour goes with which noun, since one that learns it from a few dozen tasks
memorises their sentences.
"""

from __future__ import annotations

import functools
import re

import numpy as np
from numpy.typing import NDArray

from agents.data import colors, nouns

PHRASES = 6
"""Phrases of an instruction that policies get, in the order in which they are named."""

_COLOR = "|".join(colors.NAMES)
_AND = r"(?:, and|, or|,| and| or)(?: the)? "
_ADJECTIVE = (
    r"(?!(?:the|an?|of|and|or|then|is|are|as|at|behind|beside|between|by|from|in|into|on|onto|over|to|"
    r"towards|under|until|with)\b)[\w-]+ "
)


@functools.lru_cache(4096)
def phrases_in(instruction: str) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The phrases of an instruction: their colours (PHRASES, 4) and nouns (PHRASES,).

    A colour is red, green and blue, 0..1, and a 1, or zeros where none is given; a noun is a number
    of `nouns.number`, or 0 where none is known. "The red and blue blocks" are two phrases. Each is
    listed once, where it is first named; further ones are left out, and entries that are not needed
    are zeros.
    """
    found: dict[tuple[str, int], None] = {}  # (RRGGBB, noun)
    for match in _pattern().finditer(" ".join(instruction.lower().split())):
        noun = nouns.number(form) if (form := match["noun"] or match["alone"]) else 0
        words = re.findall(_COLOR, match["colors"] or "") or [""]
        found |= dict.fromkeys((colors.NAMES.get(word, ""), noun) for word in words)
    paints, things = np.zeros((PHRASES, 4), np.float32), np.zeros(PHRASES, np.int64)
    for k, (paint, noun) in enumerate(list(found)[:PHRASES]):
        things[k] = noun
        if paint:
            paints[k] = colors.numbers(paint)
    return paints, things


@functools.cache
def _pattern() -> re.Pattern[str]:
    """Colours, perhaps one or two adjectives, and a noun; or one of both alone."""
    several = rf"\b(?P<colors>(?:{_COLOR})\b(?:{_AND}(?:{_COLOR})\b)*)"
    noun = nouns.forms()
    return re.compile(rf"{several}(?: (?:{_ADJECTIVE}){{0,2}}?(?P<noun>{noun}))?|(?P<alone>{noun})")
