"""The nouns that an instruction names, and which rows of a state vector they may mean.

What a kind of thing is called comes from the catalogue of assets. So a policy knows which thing an
instruction names even where its training had no thing of that kind, as it knows colours by their
names (`agents.data.colors`).
"""

from __future__ import annotations

import functools
import re

import numpy as np
from numpy.typing import NDArray

from gensim_envs.task.assets import ASSETS, KIT_SHAPES, OBJECTS
from gensim_envs.task.checks.sentences import plural

NOUNS = 6
"""Nouns of an instruction that policies get, in the order in which they are named."""


def named(instruction: str) -> NDArray[np.int64]:
    """The nouns (NOUNS,) that an instruction names, for `called`.

    Each is listed once, where it is first named. Further nouns are left out; entries that are not
    needed are 0.
    """
    numbers, pattern = _pattern()
    text = " ".join(instruction.lower().split())
    found = list(dict.fromkeys(numbers[form] for form in pattern.findall(text)))[:NOUNS]
    return np.array(found + [0] * (NOUNS - len(found)), np.int64)


def called(
    kinds: NDArray[np.int64], variants: NDArray[np.int64], nouns: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Whether things may be called by nouns, 0 or 1.

    Args:
        kinds: (..., n), of assets, as state vectors hold them.
        variants: (..., n), likewise.
        nouns: (..., NOUNS) of `named`.

    Returns:
        (..., n, NOUNS).
    """
    table = _table()
    kinds, variants = kinds.clip(0, table.shape[0] - 1), variants.clip(0, table.shape[1] - 1)
    return table[kinds[..., None], variants[..., None], nouns[..., None, :]]


@functools.cache
def _names() -> dict[tuple[int, int], tuple[str, ...]]:
    """The nouns of each kind and variant."""
    names: dict[tuple[int, int], tuple[str, ...]] = {}
    for kind, (name, asset) in enumerate(ASSETS.items()):
        choices = {"KitPiece": KIT_SHAPES, "Household": OBJECTS}.get(name)
        if choices is None:
            names[kind, 0] = tuple(noun.lower() for noun in asset.nouns)
            continue
        general = asset.nouns[0]
        for variant, choice in enumerate(choices, 1):
            special = OBJECTS[choice]["noun"] if name == "Household" else choice
            names[kind, variant] = (str(special).lower(), general)
    return names


@functools.cache
def _numbers() -> dict[str, int]:
    """The number of each noun, from 1 on."""
    nouns = dict.fromkeys(noun for each in _names().values() for noun in each)
    return {noun: number for number, noun in enumerate(nouns, 1)}


@functools.cache
def _pattern() -> tuple[dict[str, int], re.Pattern[str]]:
    """The number of each form of the nouns, and a pattern that prefers the longest form."""
    forms = {form: k for noun, k in _numbers().items() for form in (plural(noun), noun)}
    ordered = sorted(forms, key=lambda form: (-len(form), form))
    return forms, re.compile(rf"\b({'|'.join(map(re.escape, ordered))})\b")


@functools.cache
def _table() -> NDArray[np.float32]:
    """1 where a kind and variant may be called by a noun: (kinds, variants, nouns)."""
    names, numbers = _names(), _numbers()
    kinds, variants = np.array(list(names)).max(axis=0) + 1
    table = np.zeros((kinds, variants, len(numbers) + 1), np.float32)
    for (kind, variant), nouns in names.items():
        for noun in nouns:
            rows = slice(None) if variant == 0 else variant
            table[kind, rows, numbers[noun]] = 1
    return table
