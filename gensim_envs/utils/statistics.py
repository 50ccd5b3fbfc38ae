"""Statistics of success rates."""

from __future__ import annotations


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
