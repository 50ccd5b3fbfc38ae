"""Compare the arm with direct motion, and check its limits and contacts."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np

from gensim_envs import Oracle, OracleError, transitions
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
        seconds: duration of each step.
        touched: unwanted contacts of the arm.
        speed: the highest of any joint, as a fraction of its limit.
        torque: the highest of any joint, as a fraction of its limit.
    """

    solved: bool
    seconds: tuple[float, ...]
    touched: tuple[str, ...] = ()
    speed: float = 0.0
    torque: float = 0.0


def episode(id: str, motion: str, seed: int) -> Played:
    """Play an oracle episode in one of the two motions."""
    env = gym.make(id, obs_mode="state", motion=motion, joints=motion == "arm")
    oracle, solved, start = Oracle(env), False, 0.0

    def policy(*_: Any) -> Any:
        nonlocal start
        action = oracle.act()
        start = time.perf_counter()
        return action

    seconds: list[float] = []
    moved: list[JointTrajectory] = []
    with suppress(OracleError):
        for step in transitions(env, policy, seed=seed):
            seconds.append(time.perf_counter() - start)
            solved = step.success
            if motion == "arm":
                moved.append(step.next_info["joints"])
    env.close()
    return Played(
        solved,
        tuple(seconds),
        tuple(name for trajectory in moved for name in trajectory.touched),
        max((float(np.abs(m.velocity / LIMITS.speed).max()) for m in moved), default=0.0),
        max((float(np.abs(m.torque / LIMITS.torque).max()) for m in moved), default=0.0),
    )


def run(ids: list[str], episodes: int) -> Iterator[tuple[str, ...]]:
    """Rows of the table: each env, then all of them. A step's time is the median."""
    yield ("env", *COLUMNS)
    everything: list[tuple[Played, Played]] = []
    with processes() as executor:
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
