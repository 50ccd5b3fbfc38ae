"""Showing how a run goes: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import threading
from collections import Counter

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from gensim_envs.generation.attempt import STAGES, Verdict
from gensim_envs.generation.providers import Budget


class Watch:
    """A `Watcher` for people.

    Args:
        budget: whose use is shown.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._lock = threading.Lock()
        self._stages: dict[int, str] = {}
        self._verdicts: list[Verdict] = []
        self._count = 0
        self._console = Console(file=sys.stderr)
        self._live: Live | None = None
        if self._console.is_terminal:
            self._live = Live(
                console=self._console, get_renderable=self._table, refresh_per_second=4,
                redirect_stdout=True, redirect_stderr=False,
            )  # fmt: skip

    def __enter__(self) -> Watch:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if self._live:
            self._live.stop()
        elif kind is None and self._budget.calls:
            print(self._budget, flush=True)

    def begin(self, count: int) -> None:
        """How many attempts there will be."""
        self._count = count

    def stage(self, attempt: int, stage: str) -> None:
        """See `Watcher`."""
        with self._lock:
            self._stages[attempt] = stage

    def done(self, verdict: Verdict) -> None:
        """See `Watcher`."""
        with self._lock:
            self._stages.pop(verdict.attempt, None)
            self._verdicts.append(verdict)
        word = f"published {verdict.id}" if verdict.accepted else (
            f"refused ({verdict.cause}): {verdict.problem}"
        )  # fmt: skip
        rounds = f" after {len(verdict.refusals)} repairs" if verdict.refusals else ""
        cut = f"; prompts cut to fit: {', '.join(verdict.cuts)}" if verdict.cuts else ""
        line = f"{verdict.attempt:4d} {verdict.name or '?'}: {word}{rounds}{cut}"
        # Some of it is a model's text, which must not steer a terminal or break the line.
        self.say("".join(c if c.isprintable() else " " for c in line))

    def say(self, line: str) -> None:
        """See `Watcher`."""
        if self._live:
            self._console.print(escape(line), highlight=False)
        else:
            print(line, flush=True)

    def _table(self) -> Group:
        with self._lock:
            stages, verdicts = dict(self._stages), list(self._verdicts)
        flight = Table("attempt", "stage", title=f"{len(verdicts)} of {self._count} attempts done")
        for attempt, stage in sorted(stages.items()):
            flight.add_row(str(attempt), stage)
        rates = Table("passed", "share", title="so far")
        passed = Counter(stage for verdict in verdicts for stage in verdict.passed)
        for stage in STAGES:
            share = f"{passed[stage] / len(verdicts):.0%}" if verdicts else ""
            rates.add_row(stage, f"{passed[stage]} {share}")
        return Group(flight, rates, str(self._budget))
