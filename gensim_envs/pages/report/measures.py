"""The figures of a report, each written from its definition."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from gensim_envs.generation.embed import Array

Z = NormalDist().inv_cdf(0.975)
"""Of a 95 % interval, 1.96."""
ORDER = 4
"""BLEU-4 looks at up to four words in a row."""
EPSILON = 0.1


@dataclass(frozen=True)
class Rate:
    """A share, with its 95 % interval by Wilson (1927).

    Attributes:
        count: how many.
        of: out of how many.
        low: of the interval.
        high: of the interval.
    """

    count: int
    of: int
    low: float
    high: float

    @classmethod
    def wilson(cls, count: int, of: int) -> Rate:
        """The interval holds the shares from which the one seen is at most Z deviations away."""
        if not of:
            return cls(count, of, 0.0, 1.0)
        share, z2 = count / of, Z**2
        middle = (share + z2 / (2 * of)) / (1 + z2 / of)
        half = Z * math.sqrt(share * (1 - share) / of + z2 / (4 * of**2)) / (1 + z2 / of)
        low = 0.0 if count == 0 else max(0.0, middle - half)  # both ends are exact, but for
        high = 1.0 if count == of else min(1.0, middle + half)  # the last bit
        return cls(count, of, round(low, 4), round(high, 4))

    @property
    def share(self) -> float:
        """From 0 to 1; nothing out of nothing is 0."""
        return self.count / self.of if self.of else 0.0


def fisher(first: Rate, second: Rate) -> float:
    """How likely shares at least as different are by chance: Fisher's exact test, two-sided."""
    from scipy.stats import fisher_exact  # takes a second to load

    table = np.array([[rate.count, rate.of - rate.count] for rate in (first, second)])
    return round(float(fisher_exact(table).pvalue), 6)


def self_bleu(texts: Sequence[str]) -> float | None:
    """Mean BLEU-4 of each text with all others as its references; 1 where all are the same.

    BLEU is that of Papineni et al. (2002): the geometric mean of clipped n-gram precisions times a
    brevity penalty; as a measure of diversity it is that of Zhu et al. (2018, Texygen). Where no
    n-gram matches, 0.1 stands for the count (method 1 of Chen and Cherry, 2014), and for the
    denominator 1 where a text is shorter than n words.

    Returns:
        From 0 to 1, or None for fewer than two texts.
    """
    if len(texts) < 2:
        return None
    words = [re.findall(r"\w+", text.lower()) for text in texts]
    grams = [[_grams(each, n) for each in words] for n in range(1, ORDER + 1)]  # [n - 1][text]
    most = [_two_most(counts) for counts in grams]
    lengths = [len(each) for each in words]
    return round(sum(_bleu(k, grams, most, lengths) for k in range(len(texts))) / len(texts), 4)


def _grams(words: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[k : k + n]) for k in range(len(words) - n + 1))


_Most = dict[tuple[str, ...], tuple[int, int, int]]
"""{n-gram: (its largest count in one text, that text, the largest count in another)}."""


def _two_most(counts: Sequence[Counter[tuple[str, ...]]]) -> _Most:
    most: _Most = {}
    for text, each in enumerate(counts):
        for gram, count in each.items():
            first, owner, second = most.get(gram, (0, -1, 0))
            if count > first:
                most[gram] = count, text, first
            elif count > second:
                most[gram] = first, owner, count
    return most


def _bleu(
    text: int, grams: Sequence[Sequence[Counter[tuple[str, ...]]]], most: Sequence[_Most],
    lengths: Sequence[int],
) -> float:  # fmt: skip
    """BLEU-4 of one text with the others as references."""
    logs = 0.0
    for counts, table in zip(grams, most, strict=True):
        own = counts[text]
        matched = 0
        for gram, count in own.items():
            first, owner, second = table[gram]
            matched += min(count, second if owner == text else first)
        logs += math.log((matched or EPSILON) / max(1, own.total()))
    length = lengths[text]
    others = [*lengths[:text], *lengths[text + 1 :]]
    closest = min(others, key=lambda other: (abs(other - length), other))
    brevity = min(0.0, 1 - closest / length) if length else -math.inf
    return math.exp(brevity + logs / ORDER)


def spread(likeness: Array) -> float | None:
    """Mean of 1 - likeness over all pairs of two, given (n, n); None for fewer than two."""
    count = len(likeness)
    if count < 2:
        return None
    pairs = likeness[np.triu_indices(count, 1)]
    return round(float(1 - pairs.mean()), 4)


def entropy(counts: Iterable[int]) -> float:
    """Of how often each of several things is there, in bits."""
    found = [count for count in counts if count]
    total = sum(found)
    return round(sum(count / total * math.log2(total / count) for count in found), 4)
