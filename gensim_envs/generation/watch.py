"""Display the progress of a run: a bar on a terminal, and a line for each attempt."""

from __future__ import annotations

import threading
from collections import Counter

from gensim_envs.generation.providers import Budget
from gensim_envs.generation.verdict import Verdict
from gensim_envs.utils.progress import Progress


class Watch(Progress):
    """Displays the progress of a run; may be called from any of its threads.

    Args:
        budget: budget whose use is displayed.
    """

    def __init__(self, budget: Budget) -> None:
        super().__init__(title="attempts", unit="attempt")
        self._budget = budget
        self._lock = threading.Lock()
        self._stages: dict[int, str] = {}
        self._accepted = 0

    def stage(self, attempt: int, stage: str) -> None:
        """Show that an attempt has reached a stage."""
        with self._lock:
            self._stages[attempt] = stage
            self._count(0)

    def done(self, verdict: Verdict) -> None:
        """Show that an attempt was published or refused."""
        with self._lock:
            self._stages.pop(verdict.attempt, None)
            self._accepted += verdict.accepted
            self._count(1)
        result = (
            f"published {verdict.id}"
            if verdict.accepted
            else f"refused ({verdict.cause}): {verdict.problem}"
        )
        rounds = f" after {len(verdict.refusals)} repairs" if verdict.refusals else ""
        cut = f"; prompts cut to fit: {', '.join(verdict.cuts)}" if verdict.cuts else ""
        self.line(f"{verdict.attempt:4d} {verdict.name or '?'}: {result}{rounds}{cut}")

    def _count(self, attempts: int) -> None:
        running = Counter(self._stages.values())
        self.advance(attempts, accepted=self._accepted, **running, tokens=self._budget.tokens)
