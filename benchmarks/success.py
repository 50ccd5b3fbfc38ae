"""How often policies solve each env, on seeds that nobody tuned anything on."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import gymnasium as gym
import numpy as np

from gensim_envs import Oracle, OracleError
from gensim_envs.seeds import BENCHMARK
from gensim_envs.sim.views import PIXEL
from gensim_envs.utils.processes import processes

RANDOM_STEPS = 5
KINDS = ("oracle", "after 5 random", "rounded", "noop", "random")


def episode(id: str, kind: str, seed: int) -> float:
    """Return of one episode; a success is a return of 1 within 1e-9.

    Args:
        id: of the env.
        kind: "oracle"; "after 5 random" lets it start from where five random actions lead, without
            a step limit of its own; "rounded" rounds its actions to a pixel and ten degrees;
            "noop" picks where it places; "random" draws from the action space.
        seed: of the episode.
    """
    env = gym.make(id, obs_mode="state")
    env.reset(seed=seed)
    env.action_space.seed(seed)
    oracle, earned, over = Oracle(env), 0.0, False
    if kind == "after 5 random":
        for _ in range(RANDOM_STEPS):
            _, reward, over, _, _ = env.unwrapped.step(env.action_space.sample())
            earned += float(reward)
            if over:
                break
    while not over:
        try:
            action = _action(env, oracle, kind)
        except OracleError:
            break
        _, reward, terminated, truncated, _ = env.step(action)
        earned += float(reward)
        over = terminated or truncated
    env.close()
    return earned


def _action(env: gym.Env[Any, Any], oracle: Oracle, kind: str) -> np.ndarray[Any, Any]:
    if kind in ("noop", "random"):
        action = env.action_space.sample()
        if kind == "noop":
            action[3:] = action[:3]
        return action
    action = oracle.act()
    if kind == "rounded":
        grid = np.array([PIXEL, PIXEL, np.radians(10)] * 2)
        action = np.clip(
            np.round(action / grid) * grid, env.action_space.low, env.action_space.high
        )
    return action


def run(ids: list[str], episodes: int) -> Iterator[tuple[str, ...]]:
    """Rows of the table: successes of each kind for each env, then over all."""
    yield ("env", *KINDS)
    total = dict.fromkeys(KINDS, 0)
    with processes(None) as executor:
        for id in ids:
            row = [id.removeprefix("gensim/")]
            for kind in KINDS:
                solved = _successes(executor, id, kind, episodes)
                total[kind] += solved
                row.append(f"{solved}/{episodes}")
            yield tuple(row)
    shares = (total[kind] / (episodes * len(ids)) for kind in KINDS)
    yield ("all", *(f"{share:.1%}" for share in shares))


def _successes(executor: ProcessPoolExecutor, id: str, kind: str, episodes: int) -> int:
    seeds = BENCHMARK[:episodes]
    returns = executor.map(episode, [id] * episodes, [kind] * episodes, seeds)
    if kind == "noop":
        # Doing nothing must earn nothing, not only never succeed.
        return sum(earned > 0 for earned in returns)
    return sum(abs(earned - 1) < 1e-9 for earned in returns)
