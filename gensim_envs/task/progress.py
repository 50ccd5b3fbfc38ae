"""Progress of an episode: which goals are met, in order, and which rule is broken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from gensim_envs.task.goals import Index, Snapshot
from gensim_envs.task.judge import Judge
from gensim_envs.task.rules import violation
from gensim_envs.task.spec import MAX_GOALS, TaskSpec
from gensim_envs.utils.decode import Line, Range, Size

_Count = Annotated[int, Range(0, MAX_GOALS)]
_Text = Annotated[str, Size(0, 1000), Line()]


@dataclass(frozen=True)
class GoalStatus:
    """Progress of an episode.

    Attributes:
        progress: 0..1, measured from the start state; 1 exactly when solved.
        current: index of the goal to work on, or None when solved.
        goals_left: how many goals are still to be met.
        violation: the rule that has been broken, in words; "" for none.
    """

    progress: Annotated[float, Range(0, 1 + 1e-9)]
    current: Index | None
    goals_left: _Count
    violation: _Text = ""

    @property
    def success(self) -> bool:
        return self.current is None


@dataclass
class TrackerState:
    """What has happened so far; the start state is not part of it.

    Attributes:
        latched: how many goals have been met.
        violation: the rule that has been broken, in words; "" for none.
    """

    latched: _Count = 0
    violation: _Text = ""


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
        self.state = TrackerState()
        self._start = start
        self._done = [self.judge.fraction(k, start) for k in range(len(spec.goals))]

    def update(self, now: Snapshot) -> GoalStatus:
        """Credit a state at rest; call once after every action, in order."""
        count, state = len(self._spec.goals), self.state
        state.violation = state.violation or violation(
            self._spec, self.judge, self._start, now, state.latched
        )
        current = min(state.latched, count - 1)
        if state.violation:
            return GoalStatus(0.0, current, count - current, state.violation)
        while True:
            current = min(state.latched, count - 1)
            fractions = self.judge.fractions(current, now)
            unmet = next((k for k, fraction in enumerate(fractions) if fraction < 1), None)
            if unmet is not None:
                return self._status(unmet, fractions[unmet])
            state.latched = current + 1
            if state.latched == count:
                return GoalStatus(1.0, None, 0)

    def _status(self, current: int, fraction: float) -> GoalStatus:
        need, final = (sum(c[current].values()) for c in (self.judge.needs, self.judge.finals))
        if current < self.state.latched:
            # Items with a later goal have done their part here.
            fraction = 1 - (1 - fraction) * final / need
        start = self._done[current]
        gained = max(0.0, (fraction - start) / (1 - start)) if start < 1 else 0.0
        progress = sum(self._weights[:current]) + self._weights[current] * gained
        return GoalStatus(progress, current, len(self._spec.goals) - current)
