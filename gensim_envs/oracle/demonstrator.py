"""The oracle: the next action toward the current goal, derived from the goal itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from gensim_envs.envs.tabletop import TabletopEnv
from gensim_envs.errors import OracleError, blaming
from gensim_envs.oracle.moving import Mover
from gensim_envs.sim import Uncopyable


class Oracle(Uncopyable):
    """Demonstrates a task, from any state that a policy may reach.

    Args:
        env: an env of this suite, with any wrappers.
        rng: draws one of the actions that are equally good, so that demonstrations teach no order
            that their instructions do not ask for; without it, `act` is the same in equal states.

    Raises:
        TypeError: the env is not one of this suite.
    """

    def __init__(self, env: gym.Env[Any, Any], rng: np.random.Generator | None = None) -> None:
        inner = env.unwrapped
        if not isinstance(inner, TabletopEnv):
            raise TypeError(f"the oracle solves gensim environments, not {type(inner).__name__}")
        self._env, self._rng = inner, rng

    def __call__(self, observation: Any, info: dict[str, Any]) -> NDArray[np.float32]:
        """The next action, as a policy for `gensim_envs.rollout`; see `act`."""
        return self.act()

    def act(self) -> NDArray[np.float32]:
        """The next action, (6,), in the units of the unwrapped env.

        Raises:
            OracleError: there is no action toward the goal, which the message names.
            gymnasium.error.ResetNeeded: the env has not been reset yet.
        """
        choices = self._choices()
        if self._rng is None:
            chosen = next(choices)
        else:
            picks: dict[tuple[float, ...], list[NDArray[np.float64]]] = {}
            for choice in choices:
                picks.setdefault(tuple(choice[0, :2]), []).append(choice)
            found = list(picks.values())[self._rng.integers(len(picks))]
            chosen = found[self._rng.integers(len(found))]
        return np.asarray(chosen[0, :6], dtype=np.float32)

    def answers(self) -> NDArray[np.float32]:
        """All actions that are equally good next: equal items, free places, symmetric yaws.

        Items whose places are equally high may be moved in any order, and equal items may stand for
        one another. Of a place that is a region, only the spot that `act` chooses is listed, and of
        what is next to something, one spot on each side; of pushes, those with at least nine tenths
        of the best one's gain; of drags of a rope, one.

        Returns:
            (k, 7), k >= 1: an action, and 1 where the yaw does not matter, otherwise 0. `act`
            returns one of them, without `rng` the first one.

        Raises:
            OracleError: there is no action toward the goal, which the message names.
            gymnasium.error.ResetNeeded: the env has not been reset yet.
        """
        return np.concatenate(list(self._choices())).astype(np.float32)

    def _choices(self) -> Iterator[NDArray[np.float64]]:
        goal = self._env.goal
        if goal is None:
            raise OracleError("the task is solved; reset the env")
        env, spec = self._env, self._env.task_spec
        try:
            with blaming(spec.name):
                mover = Mover(env.world, spec, env.judge)
                yield from mover.choices(spec.goals.index(goal), env.world.snapshot())
        except OracleError as error:
            raise OracleError(f"goal {goal.instruction!r}: {error}") from None
