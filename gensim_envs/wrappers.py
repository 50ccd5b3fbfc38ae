"""Wrappers for learners."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from gensim_envs.task.spec import MAX_SENTENCE


class InstructionObservation(gym.ObservationWrapper[Any, Any, Any]):
    """Adds the current instruction to the observation, as bytes of UTF-8 padded with zeros.

    The observation becomes a Dict with the key "instruction", (300,) uint8, beside the keys it had;
    a vector goes under the key "state". Unlike a Text space this passes unharmed through the
    shared memory of asynchronous vector envs. `decode` turns it back into a sentence.

    Args:
        env: an env of this suite.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        super().__init__(env)
        inner = env.observation_space
        parts = dict(inner.spaces) if isinstance(inner, spaces.Dict) else {"state": inner}
        parts["instruction"] = spaces.Box(0, 255, (MAX_SENTENCE,), np.uint8)
        self.observation_space = spaces.Dict(parts)

    def observation(self, observation: Any) -> dict[str, Any]:
        """The observation with its instruction."""
        parts = dict(observation) if isinstance(observation, dict) else {"state": observation}
        text: str = self.env.get_wrapper_attr("instruction")
        padded = np.zeros(MAX_SENTENCE, np.uint8)
        data = text.encode()
        padded[: len(data)] = np.frombuffer(data, np.uint8)
        return {**parts, "instruction": padded}


def decode(instruction: NDArray[np.uint8]) -> str:
    """The sentence in an "instruction" observation, (300,) uint8."""
    return bytes(instruction).rstrip(b"\0").decode()
