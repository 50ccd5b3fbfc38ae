"""The oracle: the next action toward the current goal, derived from the goal itself."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from gensim_envs.envs.tabletop import TabletopEnv
from gensim_envs.errors import OracleError
from gensim_envs.oracle.moving import Mover
from gensim_envs.sim import Uncopyable


class Oracle(Uncopyable):
    """Demonstrates a task, from the states of other policies too.

    Args:
        env: an env of this suite, with any wrappers.

    Raises:
        TypeError: the env is not one of this suite.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        inner = env.unwrapped
        if not isinstance(inner, TabletopEnv):
            raise TypeError(f"the oracle solves gensim environments, not {type(inner).__name__}")
        self._env = inner

    def __call__(self, observation: Any, info: dict[str, Any]) -> NDArray[np.float32]:
        """The next action, as a policy for `gensim_envs.rollout`; see `act`."""
        return self.act()

    def act(self) -> NDArray[np.float32]:
        """The next action, (6,), in the units of the unwrapped env.

        Raises:
            OracleError: there is no action toward the goal, which the message names.
            gymnasium.error.ResetNeeded: the env has not been reset yet.
        """
        goal = self._env.goal
        if goal is None:
            raise OracleError("the task is solved; reset the env")
        env, spec = self._env, self._env.task_spec
        mover = Mover(env.world, spec, env.judge)
        try:
            action = mover.toward(spec.goals.index(goal), env.world.snapshot())
        except OracleError as error:
            raise OracleError(f"goal {goal.instruction!r}: {error}") from None
        return np.asarray(action, dtype=np.float32)
