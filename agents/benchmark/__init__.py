"""Benchmarks: frozen suites of experiments, their execution, and tables of results."""
