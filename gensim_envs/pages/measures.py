"""Measures of a run: rates with intervals, and how diverse its tasks are."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from gensim_envs.generation.embed import Array
from gensim_envs.utils.statistics import wilson

ORDER = 4
"""BLEU-4 compares up to four words in a row."""
EPSILON = 0.1


@dataclass(frozen=True)
class Rate:
    """A rate with its 95 % interval (Wilson, 1927).

    Attributes:
        count: number of successes.
        of: number of trials.
        low: lower end of the interval.
        high: upper end of the interval.
    """

    count: int
    of: int
    low: float
    high: float

    @classmethod
    def wilson(cls, count: int, of: int) -> Rate:
        """A rate and its interval, which is 0 to 1 without trials."""
        low, high = wilson(count, of) if of else (0.0, 1.0)
        return cls(count, of, round(low, 4), round(high, 4))

    @property
    def share(self) -> float:
        """From 0 to 1; 0 without trials."""
        return self.count / self.of if self.of else 0.0


def fisher(first: Rate, second: Rate) -> float | None:
    """The p-value of Fisher's exact test that two rates are equal, two-sided.

    Returns:
        From 0 to 1, or None if a rate is over no trials.
    """
    if not (first.of and second.of):
        return None
    from scipy.stats import fisher_exact  # takes a second to load

    table = np.array([[rate.count, rate.of - rate.count] for rate in (first, second)])
    return round(float(fisher_exact(table).pvalue), 6)


def self_bleu(texts: Sequence[str]) -> float | None:
    """Mean BLEU-4 of each text with all others as its references; 1 if all are equal.

    BLEU (Papineni et al., 2002) is the geometric mean of clipped n-gram precisions times a brevity
    penalty; Zhu et al. (2018, Texygen) use it as a measure of diversity. If no n-gram matches, 0.1
    replaces the count (method 1 of Chen and Cherry, 2014), and 1 the denominator of a text that is
    shorter than n words.

    Returns:
        From 0 to 1, or None for fewer than two texts.
    """
    if len(texts) < 2:
        return None
    words = [re.findall(r"\w+", text.lower()) for text in texts]
    lengths = [len(each) for each in words]
    logs = np.zeros(len(texts))
    for n in range(1, ORDER + 1):
        grams = [Counter(zip(*(each[k:] for k in range(n)), strict=False)) for each in words]
        most: Counter[tuple[str, ...]] = Counter()
        second: Counter[tuple[str, ...]] = Counter()  # the second largest count in any text
        for each in grams:
            second |= each & most
            most |= each
        # A count is clipped to the largest in another text. It exceeds the second largest of all
        # only in the text that has the largest, and there the second largest is that of another.
        logs += [math.log(((own & second).total() or EPSILON) / max(1, own.total()))
                 for own in grams]  # fmt: skip
    brevity = [_brevity(length, lengths[:k] + lengths[k + 1 :]) for k, length in enumerate(lengths)]
    return round(float(np.exp(brevity + logs / ORDER).mean()), 4)


def _brevity(length: int, others: Sequence[int]) -> float:
    """The logarithm of BLEU's brevity penalty."""
    closest = min(others, key=lambda other: (abs(other - length), other))
    return min(0.0, 1 - closest / length) if length else -math.inf


def spread(similarity: Array) -> float | None:
    """Mean of 1 - similarity over all pairs, given (n, n); None if n is less than 2."""
    count = len(similarity)
    if count < 2:
        return None
    return round(float(1 - similarity[np.triu_indices(count, 1)].mean()), 4)


def entropy(counts: Iterable[int]) -> float:
    """Shannon entropy of a distribution that is given by counts, in bits; 0 without counts."""
    found = [count for count in counts if count]
    total = sum(found)
    return round(sum(count / total * math.log2(total / count) for count in found), 4)
