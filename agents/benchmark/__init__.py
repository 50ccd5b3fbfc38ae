"""Frozen suites of experiments, their runs, and tables of their results."""
