"""An agent that does nothing: what a task gives away."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray


class Agent:
    """Picks in the middle of the workspace and places there, unturned."""

    obs_mode = "rgbd"

    def begin(self, env: gym.Env[Any, Any], rng: np.random.Generator) -> None:
        """Look up the workspace of this env."""
        assert isinstance(env.action_space, spaces.Box)
        low, high = env.action_space.low, env.action_space.high
        x, y, yaw = (low[:3] + high[:3]) / 2
        self._action = np.array([x, y, yaw, x, y, yaw], np.float32)

    def act(self, observation: Any, instruction: str) -> NDArray[np.float32]:
        """The same action each time, (6,)."""
        return self._action.copy()

    def heatmaps(self) -> None:
        """It weighs no pixels."""
