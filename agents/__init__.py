"""Policies for the suite's environments: training, evaluation and benchmarks."""
