"""An env that is not of the suite: `foreign:test/Reach-v0` for `--env`."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.spaces import Box
from toys import HIGH, LOW

ID = "foreign:test/Reach-v0"


class Reach(gym.Env[Any, Any]):
    """The state is the action that is wanted, within -1..1; it is right within a tenth.

    Turns begin with yaw 0, since only the turn between pick and place matters.
    """

    def __init__(self) -> None:
        self.observation_space = Box(-1, 1, (6,), np.float32)
        self.action_space = Box(LOW, HIGH, dtype=np.float32)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        assert not options
        self._wanted = self.np_random.uniform(-1, 1, 6).astype(np.float32)
        self._wanted[2] = 0
        return self._wanted.copy(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        done = 2 * (action - LOW) / (HIGH - LOW) - 1
        off = float(np.abs(done - self._wanted).max())
        return self._wanted.copy(), -off, True, False, {"is_success": off < 0.1}


gym.register("test/Reach-v0", Reach)
