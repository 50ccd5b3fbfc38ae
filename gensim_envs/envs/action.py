"""The action space: where to pick and where to place, or the start and end of a push."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from gensim_envs.task.pose import WORKSPACE

ACTION = ("pick x", "pick y", "pick yaw", "place x", "place y", "place yaw")
"""The components of an action; metres and radians."""
_LOW = np.array([WORKSPACE[0][0], WORKSPACE[1][0], -math.pi] * 2)
_HIGH = np.array([WORKSPACE[0][1], WORKSPACE[1][1], math.pi] * 2)
_ROUNDING = 1e-6


def action_space() -> spaces.Space[NDArray[np.float32]]:
    """The space of actions, (6,) float32."""
    return spaces.Box(_LOW.astype(np.float32), _HIGH.astype(np.float32), dtype=np.float32)


def check_action(action: Any) -> NDArray[np.float64]:
    """Check an action and clip rounding errors of up to 1e-6.

    Returns:
        The action as (6,) float64.

    Raises:
        ValueError: the shape is wrong, or a component is not a number in its range.
    """
    values = np.asarray(action, dtype=np.float64)
    if values.shape != (6,):
        raise ValueError(f"an action has shape (6,): {', '.join(ACTION)}; got {values.shape}")
    for name, value, low, high in zip(ACTION, values, _LOW, _HIGH, strict=True):
        if not low - _ROUNDING <= value <= high + _ROUNDING:
            raise ValueError(f"{name} is {value}, outside {low:.4g} .. {high:.4g}")
    return np.clip(values, _LOW, _HIGH)
