"""Small made-up demonstrations, on which learners train in a moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from agents.data.demonstrations import Demonstrations, Sample

LOW = np.array([0.25, -0.5, -np.pi] * 2, np.float32)
HIGH = np.array([0.75, 0.5, np.pi] * 2, np.float32)
TOKENS = {"red": np.eye(8, dtype=np.float16)[:2], "blue": np.eye(8, dtype=np.float16)[4:7]}
"""What a language model of width 8 says of two instructions."""


def states(episodes: int = 20, width: int = 12, envs: Sequence[str] = ("a", "b")) -> Demonstrations:
    """Vectors whose first six numbers are the action, scaled."""
    rng = np.random.default_rng(0)
    demos = Demonstrations("state", LOW, HIGH)
    for number in range(episodes * len(envs)):
        env = envs[number % len(envs)]
        steps = [_state(rng.uniform(-1, 1, width), env) for _ in range(2)]
        demos.add_episode(env, 100_000 + number, steps)
    return demos


def _state(state: Any, env: str) -> Sample:
    action = (LOW + HIGH) / 2 + state[:6] * (HIGH - LOW) / 2 * 0.9
    return Sample(env, 0, 0, "go", np.float32(action), state=np.float32(state))


def images(actions: Sequence[tuple[str, Sequence[float]]], env: str = "a") -> Demonstrations:
    """One picture, again and again, with pairs of instruction and action."""
    rng = np.random.default_rng(0)
    color = rng.integers(0, 255, (160, 320, 3), np.uint8)
    height = rng.integers(0, 100, (160, 320)).astype(np.float32) * np.float32(1e-3)
    demos = Demonstrations("rgbd", LOW, HIGH)
    for number, (instruction, action) in enumerate(actions):
        step = Sample(env, 0, 0, instruction, np.float32(action), color=color, height=height)
        demos.add_episode(env, 100_000 + number, [step])
    demos.tokens["minilm"] = dict(TOKENS)
    return demos
