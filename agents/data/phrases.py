"""The phrases of an instruction that name things, such as "the red block", as numbers.

A phrase is a noun with the colour before it, if it has one, or a colour and a word of which nothing
is known. Which colour goes with which noun is
told to policies, since one that has to learn it from a few dozen tasks learns their sentences.
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
_BETWEEN = r"(?!(?:the|a|an|on|onto|in|into|of|to|and|or|is|are)\b)[\w-]+ "  # "red SMALL block"


def named(instruction: str) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The phrases of an instruction: their colours (PHRASES, 4) and nouns (PHRASES,).

    A colour is red, green and blue, 0..1, and a 1, or zeros where none is given; a noun is a number
    of `nouns.number`, or 0 where none is known. "The red and blue blocks" are two phrases. Each is
    listed once, where it is first named; further ones are left out, and entries that are not needed
    are zeros.
    """
    found: dict[tuple[str, int], None] = {}
    for match in _pattern().finditer(" ".join(instruction.lower().split())):
        noun = nouns.number(form) if (form := match["noun"] or match["alone"]) else 0
        words = re.findall(rf"\b(?:{_COLOR})\b", match["colors"] or "") or [""]
        found |= dict.fromkeys((word, noun) for word in words)
    paints, things = np.zeros((PHRASES, 4), np.float32), np.zeros(PHRASES, np.int64)
    for k, (word, noun) in enumerate(list(found)[:PHRASES]):
        things[k] = noun
        if word:
            paints[k] = colors.value(word)
    return paints, things


@functools.cache
def _pattern() -> re.Pattern[str]:
    """Colours, perhaps a word, and a noun; or one of both alone. A verb comes first."""
    colors_ = rf"\b(?P<colors>(?:{_COLOR})\b(?:(?:, and |, | and )(?:{_COLOR})\b)*)"
    noun = rf"(?<!^)\b(?:{nouns.forms()})\b"
    return re.compile(rf"{colors_}(?: (?:{_BETWEEN})??(?P<noun>{noun}))?|(?P<alone>{noun})")
