"""The suite's demonstrator as an agent: what a policy could reach at best."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

import gensim_envs
from agents.errors import AgentsError
from agents.policies import nothing


class Agent:
    """Acts as the oracle does; where the oracle knows no action, it does nothing.

    It looks into the simulation, not at its observations. The vector of "state" would be cheaper,
    but has no room for distractors.
    """

    obs_mode = "rgbd"

    def begin(self, env: gym.Env[Any, Any], rng: np.random.Generator) -> None:
        """Look into this env from now on.

        Raises:
            AgentsError: where the env is not one of this suite.
        """
        try:
            self._oracle = gensim_envs.Oracle(env)
        except TypeError as error:
            raise AgentsError(f"{error}; choose another agent for it") from error
        self._nothing = nothing.Agent()
        self._nothing.begin(env, rng)

    def act(self, observation: Any, instruction: str) -> NDArray[np.float32]:
        """The oracle's action, (6,)."""
        try:
            return self._oracle.act()
        except gensim_envs.OracleError:
            return self._nothing.act(observation, instruction)

    def heatmaps(self) -> None:
        """It weighs no pixels."""
