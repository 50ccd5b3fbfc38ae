"""Whether the arm does what the direct motion does, within its limits and touching nothing."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass

import gymnasium as gym
import numpy as np

from gensim_envs import Oracle, OracleError
from gensim_envs.seeds import BENCHMARK
from gensim_envs.sim.arm.dynamics import JointTrajectory
from gensim_envs.sim.arm.robot import LIMITS
from gensim_envs.utils.processes import processes

COLUMNS = ("direct", "arm", "agree", "untouched", "peak speed", "peak torque", "step")


@dataclass(frozen=True)
class Played:
    """An oracle episode.

    Attributes:
        solved: whether it ended in success.
        seconds: that each step took.
        touched: what the arm touched that it should not have.
        speed: the highest of any joint, as a share of its limit.
        torque: the highest of any joint, as a share of its limit.
    """

    solved: bool
    seconds: tuple[float, ...]
    touched: tuple[str, ...] = ()
    speed: float = 0.0
    torque: float = 0.0


def episode(id: str, motion: str, seed: int) -> Played:
    """Let the oracle play in one of the two motions."""
    env = gym.make(id, obs_mode="state", motion=motion, joints=motion == "arm")
    _, info = env.reset(seed=seed)
    oracle, over = Oracle(env), False
    seconds: list[float] = []
    moved: list[JointTrajectory] = []
    while not over:
        try:
            action = oracle.act()
        except OracleError:
            break
        start = time.perf_counter()
        _, _, terminated, truncated, info = env.step(action)
        seconds.append(time.perf_counter() - start)
        over = terminated or truncated
        if motion == "arm":
            moved.append(info["joints"])
    env.close()
    return Played(
        bool(info["success"]),
        tuple(seconds),
        tuple(name for trajectory in moved for name in trajectory.touched),
        max((float(np.abs(m.velocity / LIMITS.speed).max()) for m in moved), default=0.0),
        max((float(np.abs(m.torque / LIMITS.torque).max()) for m in moved), default=0.0),
    )


def run(ids: list[str], episodes: int) -> Iterator[tuple[str, ...]]:
    """Rows of the table: each env, then all of them. A step's time is the median."""
    yield ("env", *COLUMNS)
    everything: list[tuple[Played, Played]] = []
    with processes(None) as executor:
        for id in ids:
            seeds = BENCHMARK[:episodes]
            direct, arm = (
                list(executor.map(episode, [id] * episodes, [motion] * episodes, seeds))
                for motion in ("direct", "arm")
            )
            pairs = list(zip(direct, arm, strict=True))
            everything += pairs
            yield (id.removeprefix("gensim/"), *_row(pairs))
    yield ("all", *_row(everything))


def _row(pairs: list[tuple[Played, Played]]) -> list[str]:
    count = len(pairs)
    arms = [arm for _, arm in pairs]
    return [
        f"{sum(direct.solved for direct, _ in pairs)}/{count}",
        f"{sum(arm.solved for arm in arms)}/{count}",
        f"{sum(direct.solved == arm.solved for direct, arm in pairs) / count:.1%}",
        f"{sum(not arm.touched for arm in arms) / count:.1%}",
        f"{max(arm.speed for arm in arms):.0%}",
        f"{max(arm.torque for arm in arms):.0%}",
        f"{1000 * statistics.median(s for arm in arms for s in arm.seconds):.0f} ms",
    ]
