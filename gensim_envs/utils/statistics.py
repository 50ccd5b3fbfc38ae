"""Statistics of success rates."""

from __future__ import annotations

import math


def wilson(successes: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a success rate (Wilson, 1927).

    Args:
        successes: number of successes.
        count: number of trials, at least 1.

    Returns:
        (low, high), both within 0..1.
    """
    from scipy.stats import binomtest  # loads much, for commands that report only

    interval = binomtest(successes, count).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def paired_difference(both: int, gained: int, lost: int, neither: int) -> tuple[float, float]:
    """The 95 % interval of the difference of two success rates on the same trials.

    This is method 10 of R. G. Newcombe, "Improved confidence intervals for the difference between
    binomial proportions based on paired data", Statistics in Medicine 17, 1998.

    Args:
        both: trials with two successes.
        gained: trials with a success in the second case only.
        lost: trials with a success in the first case only.
        neither: trials without a success. All four are 0 or more, and one is not 0.

    Returns:
        (low, high) of the second rate minus the first, both within -1..1.
    """
    count = both + gained + lost + neither
    first, second = (both + lost) / count, (both + gained) / count
    (low1, high1), (low2, high2) = wilson(both + lost, count), wilson(both + gained, count)
    product = (both + gained) * (lost + neither) * (both + lost) * (gained + neither)
    excess = float(both * neither - gained * lost)
    if excess > 0:
        excess = max(excess - count / 2, 0.0)
    correlation = excess / math.sqrt(product) if product else 0.0

    def distance(a: float, b: float) -> float:
        return math.sqrt(max(a * a - 2 * correlation * a * b + b * b, 0))

    difference = second - first
    return (
        max(difference - distance(second - low2, high1 - first), -1),
        min(difference + distance(high2 - second, first - low1), 1),
    )
