"""Just inside and just outside each number of what a goal means."""

from __future__ import annotations

from end_states import Case, Lie, Put, State, done, heap, not_done
from end_states import inside, on, patterns, places, regions, rules, soft
from end_states.regions import blocks


def pair(limit: str, build: object, within: State, beyond: State) -> tuple[Case, Case]:
    """A case on each side of a limit."""
    return done(limit, build, within), not_done(limit, build, beyond)


def kit(x: float, yaw: float) -> State:
    return {"blue letter R": Put(-9 + x, 4.75, 1, yaw), "red star": Put(*places.STAR)}


def around(skew: float, far: float = 10) -> State:
    return blocks((0, 10), (-10, 0), (0, -10), *polar(far, skew))
