"""Actions that choose among things and places, for learning from reward.

Of uniformly drawn actions hardly one in a hundred picks anything. A choice of a row of the state
vector to pick, and of a row to place at, always does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from agents.data.augment import wrap
from gensim_envs import StateLayout


class Choices:
    """The choices of a state vector.

    Args:
        bounds: capacity of the privileged state vector by kind of row.

    Attributes:
        layout: of the state vector.
        space: two numbers, the row of an item to pick, and the row of an item, a place or a place
            of the goal to put it at.
    """

    def __init__(self, bounds: Mapping[str, int]) -> None:
        self.layout = StateLayout.of(bounds, privileged=True)
        self._blocks = self.layout.items, self.layout.places, self.layout.targets
        every = sum(block.rows for block in self._blocks)
        self.space = spaces.MultiDiscrete([self.layout.items.rows, every])

    def action(self, state: NDArray[Any], choice: NDArray[Any]) -> NDArray[np.float32] | None:
        """The action (6,) of a choice (2,), or None if one of the rows is empty.

        The item is turned as the row lies that it is put at.
        """
        rows = [
            np.concatenate([block.field(state, name) for block in self._blocks])
            for name in ("present", "position", "yaw")
        ]
        present, position, yaw = (each[np.asarray(choice, np.int64)] for each in rows)
        if not present.all():
            return None
        heading = np.arctan2(yaw[:, 0], yaw[:, 1])
        turn = wrap(float(heading[1] - heading[0]))
        return np.array([*position[0, :2], 0, *position[1, :2], turn], np.float32)


class ChooseThings(gym.Wrapper[Any, Any, Any, Any]):
    """Acts by choices; one that names an empty row moves nothing.

    Args:
        env: with privileged state vectors.
        bounds: capacity of the vector by kind of row.
    """

    def __init__(self, env: gym.Env[Any, Any], bounds: Mapping[str, int]) -> None:
        super().__init__(env)
        self._choices = Choices(bounds)
        self.action_space = self._choices.space
        low, high = env.action_space.low, env.action_space.high  # type: ignore[attr-defined]
        self._nothing = np.tile((low[:3] + high[:3]) / 2, 2).astype(np.float32)
        self._bounds = low, high

    def reset(self, **options: Any) -> tuple[Any, dict[str, Any]]:
        """See `gymnasium.Env`."""
        self._state, info = self.env.reset(**options)
        return self._state, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """See `gymnasium.Env`."""
        chosen = self._choices.action(self._state, action)
        moved = self._nothing if chosen is None else np.clip(chosen, *self._bounds)
        self._state, *rest = self.env.step(moved)
        return self._state, *rest
