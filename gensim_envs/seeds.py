"""Which seeds are for what. The ranges are disjoint and fixed: results stay comparable."""

CERTIFICATE = range(0, 20)
"""Episodes that decide whether a task is published."""
SURVEY = range(1_000, 1_500)
"""Draws, in each split, from which a row's bounds and its rate of redraws are taken."""
TUNING = range(2_000, 10_000)
"""For whoever works on the oracle or on a task."""
BENCHMARK = range(10_000, 20_000)
"""Measurements of the suite itself; never used while tuning."""
VALIDATION = range(20_000, 30_000)
"""Choosing between policies."""
TEST = range(30_000, 100_000)
"""Reported results of policies."""
TRAINING = range(100_000, 2_000_000)
"""Demonstrations and reinforcement learning."""
