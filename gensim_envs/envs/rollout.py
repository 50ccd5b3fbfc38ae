"""The episode loop: reset, then act and step until the episode ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium as gym

Policy = Callable[[Any, dict[str, Any]], Any]
"""(observation, info) -> action. `gensim_envs.Oracle` is one."""


@dataclass(frozen=True, eq=False)
class Transition:
    """One step of an episode.

    Attributes:
        observation: before the step.
        info: before the step.
        action: that the policy chose.
        next_observation: after the step.
        reward: of the step.
        terminated: whether the task is solved or cannot be solved any more.
        truncated: whether the step limit is reached.
        next_info: after the step.
    """

    observation: Any
    info: dict[str, Any]
    action: Any
    next_observation: Any
    reward: float
    terminated: bool
    truncated: bool
    next_info: dict[str, Any]

    @property
    def success(self) -> bool:
        """Whether the task is solved after the step; infos say `success` or `is_success`."""
        info = self.next_info
        return bool(info.get("success", info.get("is_success", False)))


def transitions(
    env: gym.Env[Any, Any],
    policy: Policy,
    *,
    seed: int | None = None,
    options: Mapping[str, Any] | None = None,
    start: Callable[[Any, dict[str, Any]], None] | None = None,
    max_steps: int | None = None,
) -> Iterator[Transition]:
    """Play one episode, step by step.

    Args:
        env: is reset here.
        policy: chooses an action from an observation and its info.
        seed: of the reset.
        options: of the reset.
        start: called with the reset's observation and info.
        max_steps: limit for an env without a step limit of its own.
    """
    observation, info = env.reset(seed=seed, options=None if options is None else dict(options))
    if start is not None:
        start(observation, info)
    steps, done = 0, False
    while not done and steps != max_steps:
        action = policy(observation, info)
        result, reward, terminated, truncated, next_info = env.step(action)
        yield Transition(
            observation, info, action, result, float(reward), terminated, truncated, next_info
        )
        observation, info = result, next_info
        steps, done = steps + 1, terminated or truncated


@dataclass(frozen=True)
class Episode:
    """The outcome of an episode.

    Attributes:
        success: whether the task was solved.
        episode_return: sum of the rewards.
        steps: number of actions.
    """

    success: bool
    episode_return: float
    steps: int


def rollout(
    env: gym.Env[Any, Any],
    policy: Policy,
    *,
    seed: int | None = None,
    options: Mapping[str, Any] | None = None,
    max_steps: int | None = None,
) -> Episode:
    """Play one episode to its end; the arguments are those of `transitions`."""
    success, total, steps = False, 0.0, 0
    for step in transitions(env, policy, seed=seed, options=options, max_steps=max_steps):
        success, total, steps = step.success, total + step.reward, steps + 1
    return Episode(success, total, steps)
