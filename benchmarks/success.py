"""Success rates of simple policies for each env, on seeds that were not used for tuning."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import suppress
from typing import Any

import gymnasium as gym
import numpy as np

from gensim_envs import Oracle, OracleError, transitions
from gensim_envs.envs.rollout import Policy
from gensim_envs.seeds import BENCHMARK
from gensim_envs.sim.views import PIXEL
from gensim_envs.utils.processes import processes

RANDOM_STEPS = 5
KINDS = ("oracle", "after 5 random", "rounded", "noop", "random")


def episode(id: str, kind: str, seed: int) -> float:
    """Return of one episode; a success has a return of 1 within 1e-9.

    Args:
        id: of the env.
        kind: "oracle"; "after 5 random" starts the oracle after five random actions, which do not
            count towards the step limit; "rounded" rounds its actions to a pixel and 10 degrees;
            "noop" picks where it places; "random" samples the action space.
        seed: of the episode.
    """
    limit = gym.spec(id).max_episode_steps or 0
    extra = RANDOM_STEPS if kind == "after 5 random" else 0
    env = gym.make(id, obs_mode="state", max_episode_steps=limit + extra)
    env.action_space.seed(seed)
    episode_return = 0.0
    with suppress(OracleError):
        for step in transitions(env, _policy(env, kind), seed=seed):
            episode_return += step.reward
    env.close()
    return episode_return


def _policy(env: gym.Env[Any, Any], kind: str) -> Policy:
    oracle, space = Oracle(env), env.action_space
    assert isinstance(space, gym.spaces.Box)
    steps = itertools.count()

    def noop(*_: Any) -> Any:
        action = space.sample()
        action[3:] = action[:3]
        return action

    def rounded(*_: Any) -> Any:
        grid = np.array([PIXEL, PIXEL, np.radians(10)] * 2)
        return np.clip(np.round(oracle.act() / grid) * grid, space.low, space.high)

    policies: dict[str, Policy] = {
        "oracle": oracle,
        "after 5 random": lambda *_: space.sample() if next(steps) < RANDOM_STEPS else oracle.act(),
        "rounded": rounded,
        "noop": noop,
        "random": lambda *_: space.sample(),
    }
    return policies[kind]


def run(ids: list[str], episodes: int) -> Iterator[tuple[str, ...]]:
    """Rows of the table: successes of each kind for each env, then over all."""
    yield ("env", *KINDS)
    total = dict.fromkeys(KINDS, 0)
    with processes() as executor:
        for id in ids:
            row = [id.removeprefix("gensim/")]
            for kind in KINDS:
                solved = _successes(executor, id, kind, episodes)
                total[kind] += solved
                row.append(f"{solved}/{episodes}")
            yield tuple(row)
    shares = (total[kind] / (episodes * len(ids)) for kind in KINDS)
    yield ("all", *(f"{share:.1%}" for share in shares))


def _successes(executor: Executor, id: str, kind: str, episodes: int) -> int:
    seeds = BENCHMARK[:episodes]
    returns = executor.map(episode, [id] * episodes, [kind] * episodes, seeds)
    if kind == "noop":
        # A no-op must have no reward at all, not only never succeed.
        return sum(value > 0 for value in returns)
    return sum(abs(value - 1) < 1e-9 for value in returns)
