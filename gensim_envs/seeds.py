"""Disjoint, fixed ranges of seeds, so that results stay comparable."""

CERTIFICATE = range(0, 20)
"""Episodes that decide whether a task is published."""
BLIND = range(100, 200)
"""Episodes of blind play, which say whether a task needs reading."""
SURVEY = range(1_000, 1_500)
"""Draws, in each split, that measure a record's bounds and its rate of redraws."""
TUNING = range(2_000, 10_000)
"""Development of the oracle and of tasks."""
BENCHMARK = range(10_000, 20_000)
"""Measurements of the suite itself; never used while tuning."""
VALIDATION = range(20_000, 30_000)
"""Selection of policies."""
TEST = range(30_000, 100_000)
"""Reported results of policies."""
TRAINING = range(100_000, 2_000_000)
"""Demonstrations and reinforcement learning."""
