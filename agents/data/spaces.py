"""Check that policies can act in an env's spaces."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from agents.data.episodes import IMAGE
from agents.errors import AgentsError


def check_spaces(
    what: str, obs_mode: str | None, observations: spaces.Space[Any], actions: spaces.Space[Any]
) -> None:
    """Check that a policy can act in these spaces.

    Args:
        what: name of the env, for messages.
        obs_mode: of the policy; None for one that ignores observations.
        observations: the observation space.
        actions: the action space.

    Raises:
        AgentsError: naming the space and the one that is needed.
    """
    if not (isinstance(actions, spaces.Box) and actions.shape == (6,) and actions.is_bounded()):
        raise AgentsError(f"{what} has actions {actions}; policies give six bounded numbers")
    if obs_mode is not None and obs_mode_of(observations) != obs_mode:
        need = (
            "a vector"
            if obs_mode == "state"
            else f"a Dict with color {(*IMAGE, 3)} uint8 and height {IMAGE} float32"
        )
        raise AgentsError(
            f"{what} has observations {_described(observations)}; obs_mode {obs_mode} is {need}"
        )


def obs_mode_of(space: spaces.Space[Any]) -> str | None:
    """The obs_mode of a space; None if no policy reads such observations."""
    if isinstance(space, spaces.Box) and len(space.shape) == 1:
        return "state"
    parts = space.spaces if isinstance(space, spaces.Dict) else {}
    kinds = {name: (part.shape, np.dtype(part.dtype).kind) for name, part in parts.items()}
    if kinds.get("color") == ((*IMAGE, 3), "u") and kinds.get("height") == (IMAGE, "f"):
        return "rgbd"
    return None


def _described(space: spaces.Space[Any]) -> str:
    if isinstance(space, spaces.Dict):
        return "Dict(" + ", ".join(f"{k}: {_described(part)}" for k, part in space.items()) + ")"
    return f"{type(space).__name__} {space.shape} {space.dtype}"
