"""Progress of an episode: which goals are met, in order, and which rule is broken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gensim_envs.task.goals import Snapshot
from gensim_envs.task.judge import Judge
from gensim_envs.task.rules import violation
from gensim_envs.task.spec import TaskSpec


@dataclass(frozen=True)
class GoalStatus:
    """Progress of an episode.

    Attributes:
        progress: 0..1, measured from the start state; 1 exactly when solved.
        current: index of the goal to work on, or None when solved.
        goals_left: how many goals are still to be met.
        violation: the rule that has been broken, in words; "" for none.
    """

    progress: float
    current: int | None
    goals_left: int
    violation: str = ""

    @property
    def success(self) -> bool:
        return self.current is None


class GoalTracker:
    """Follows one episode: goals in order, final places must hold, earlier ones latch.

    Args:
        spec: the task.
        start: the state after reset, from which progress is measured.
    """

    def __init__(self, spec: TaskSpec, start: Snapshot) -> None:
        self._spec = spec
        self.judge = Judge(spec)
        # A rope or pile is one item, so that its goal weighs 1.
        weights = [len(goal.items) for goal in spec.goals]
        self._weights = [weight / sum(weights) for weight in weights]
        self._latched = 0
        self._violation = ""
        self._start = start
        self._done = [self.judge.fraction(k, start) for k in range(len(spec.goals))]

    def update(self, now: Snapshot) -> GoalStatus:
        """Credit a state at rest; call once after every action, in order."""
        goals = self._spec.goals
        if not self._violation:
            self._violation = violation(self._spec, self.judge, self._start, now, self._latched)
        if self._violation:
            left = len(goals) - self._latched
            return GoalStatus(
                0.0, min(self._latched, len(goals) - 1), max(1, left), self._violation
            )
        while True:
            current = min(self._latched, len(goals) - 1)
            fractions = self.judge.assign(current, now).fractions
            unmet = next((k for k, fraction in enumerate(fractions) if fraction < 1), None)
            if unmet is not None:
                return self._status(unmet, fractions[unmet])
            self._latched = current + 1
            if self._latched == len(goals):
                return GoalStatus(1.0, None, 0)

    def _status(self, current: int, fraction: float) -> GoalStatus:
        need, final = (sum(c[current].values()) for c in (self.judge.needs, self.judge.finals))
        if current < self._latched:
            # Items with a later goal have done their part here.
            fraction = 1 - (1 - fraction) * final / need
        start = self._done[current]
        gained = max(0.0, (fraction - start) / (1 - start)) if start < 1 else 0.0
        progress = sum(self._weights[:current]) + self._weights[current] * gained
        return GoalStatus(progress, current, len(self._spec.goals) - current)

    def get_state(self) -> dict[str, Any]:
        """What has happened so far, as plain data; the start state is not part of it."""
        return {"latched": self._latched, "violation": self._violation}

    def set_state(self, state: dict[str, Any]) -> None:
        """The inverse of `get_state`."""
        self._latched, self._violation = state["latched"], state["violation"]
