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

import gensim_envs

NOUNS = 6
"""Nouns of an instruction that policies get, in the order in which they are named."""


@functools.lru_cache(4096)
def nouns_in(instruction: str) -> NDArray[np.int64]:
    """The nouns (NOUNS,) that an instruction names, for `called`.

    Each is listed once, where it is first named. Further nouns are left out; entries that are not
    needed are 0.
    """
    text = " ".join(instruction.lower().split())
    found = list(dict.fromkeys(map(number, re.findall(forms(), text))))[:NOUNS]
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
def _numbers() -> dict[str, int]:
    """The number of each noun, from 1 on."""
    found = dict.fromkeys(noun for each in gensim_envs.nouns().values() for noun in each.values())
    return {noun: number for number, noun in enumerate(found, 1)}


def number(form: str) -> int:
    """The number of a noun, from 1 on, in the singular or the plural."""
    return _numbers()[_singular()[form]]


@functools.cache
def forms() -> str:
    """A regular expression of the forms of all nouns, which prefers the longest one.

    It leaves out verbs: the first word, and one before an article, as in "and stand the box on it".
    """
    longest = sorted(_singular(), key=lambda form: (-len(form), form))
    return rf"(?<!^)\b(?:{'|'.join(map(re.escape, longest))})\b(?! (?:the|an?)\b)"


@functools.cache
def _singular() -> dict[str, str]:
    """The singular of each form of the nouns."""
    return {form: noun for each in gensim_envs.nouns().values() for form, noun in each.items()}


@functools.cache
def _table() -> NDArray[np.float32]:
    """1 where a kind and variant may be called by a noun: (kinds, variants, nouns)."""
    nouns, numbers = gensim_envs.nouns(), _numbers()
    kinds, variants = np.array(list(nouns)).max(axis=0) + 1
    table = np.zeros((kinds, variants, len(numbers) + 1), np.float32)
    for (kind, variant), forms in nouns.items():
        for noun in forms.values():
            table[kind, slice(None) if variant == 0 else variant, numbers[noun]] = 1
    return table
