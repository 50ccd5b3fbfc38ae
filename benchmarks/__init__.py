"""Measurements of the suite: `python -m benchmarks` prints them as tables."""
