"""`python -m agents`: train, export, evaluate, benchmark."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from gensim_envs.utils import cli

COMMANDS = {
    "train": ("agents.training.train:train", "Train a policy."),
    "export": ("agents.training.collect:export", "Record demonstrations, to train elsewhere."),
    "evaluate": ("agents.evaluation.command:evaluate", "Measure success over fixed test seeds."),
    "benchmark": ("agents.benchmark.run:run", "Train and evaluate the experiments of a suite."),
    "tables": ("agents.benchmark.tables:tables", "Print the results of benchmarks as Markdown."),
    "freeze": ("agents.benchmark.freezing:freeze_command", "Freeze suites that were changed."),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    return cli.run(
        "python -m agents", "Policies for tabletop manipulation.", COMMANDS, arguments,
        install="pip install -e '.[agents,minilm,video]'",
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
