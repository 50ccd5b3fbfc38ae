"""Policies that need no training: upper and lower bounds for those that do."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

import gensim_envs
from agents.errors import AgentsError
from agents.policies.base import Policy


def _bounds(env: gym.Env[Any, Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Lower and upper bounds of actions, (6,) each."""
    assert isinstance(env.action_space, spaces.Box)
    return env.action_space.low, env.action_space.high


class NoopPolicy(Policy):
    """Picks and places at the middle of the workspace, which moves nothing."""

    obs_mode = "rgbd"

    def reset(self, env: gym.Env[Any, Any], rng: np.random.Generator) -> None:
        """See `Policy`."""
        low, high = _bounds(env)
        self._action = np.tile((low[:3] + high[:3]) / 2, 2).astype(np.float32)

    def act(self, observation: Any, instruction: str) -> NDArray[np.float32]:
        """See `Policy`."""
        return self._action.copy()


class RandomPolicy(Policy):
    """Draws actions uniformly from the action space."""

    obs_mode = "rgbd"

    def reset(self, env: gym.Env[Any, Any], rng: np.random.Generator) -> None:
        """See `Policy`."""
        self._bounds, self._rng = _bounds(env), rng

    def act(self, observation: Any, instruction: str) -> NDArray[np.float32]:
        """See `Policy`."""
        return self._rng.uniform(*self._bounds).astype(np.float32)


class OraclePolicy(NoopPolicy):
    """The suite's demonstrator; a no-op where it knows no action.

    It reads the simulation, not its observations. State vectors would be cheaper, but have no room
    for distractors.
    """

    def reset(self, env: gym.Env[Any, Any], rng: np.random.Generator) -> None:
        """See `Policy`."""
        super().reset(env, rng)
        try:
            self._oracle = gensim_envs.Oracle(env)
        except TypeError as error:
            raise AgentsError(f"{error}; choose another policy for it") from error

    def act(self, observation: Any, instruction: str) -> NDArray[np.float32]:
        """See `Policy`."""
        try:
            return self._oracle.act()
        except gensim_envs.OracleError:
            return super().act(observation, instruction)
