"""An agent that acts at random: what a task gives to chance."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray


class Agent:
    """Draws every number of an action uniformly between its bounds."""

    obs_mode = "rgbd"

    def begin(self, env: gym.Env[Any, Any], rng: np.random.Generator) -> None:
        """Draw from this generator, between the bounds of this env, from now on."""
        assert isinstance(env.action_space, spaces.Box)
        self._low, self._high, self._rng = env.action_space.low, env.action_space.high, rng

    def act(self, observation: Any, instruction: str) -> NDArray[np.float32]:
        """An action, (6,)."""
        return self._rng.uniform(self._low, self._high).astype(np.float32)

    def heatmaps(self) -> None:
        """It weighs no pixels."""
