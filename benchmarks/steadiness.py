"""Growth of memory over many resets, and equality of episodes across processes."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import gymnasium as gym

from gensim_envs import Oracle, OracleError, transitions
from gensim_envs.seeds import BENCHMARK

Rows = Iterator[tuple[str, ...]]


def memory(ids: list[str], resets: int) -> Rows:
    """Growth of the resident set over many resets in one process, which does nothing else."""
    yield ("env", "resets", "growth, MB")
    for id in ids:
        code = f"from benchmarks.steadiness import growth; print(growth({id!r}, {resets}))"
        answer = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        yield (id.removeprefix("gensim/"), str(resets), answer.stdout.splitlines()[-1])


def growth(id: str, resets: int) -> str:
    """Megabytes that `resets` resets add, after 500 that fill caches."""
    env = gym.make(id, obs_mode="rgbd")
    for k in range(500):
        env.reset(seed=BENCHMARK[k])
    before = _resident()
    for k in range(resets):
        env.reset(seed=BENCHMARK[k % len(BENCHMARK)])
    return f"{(_resident() - before) / 2**20:.1f}"


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096


def sameness(ids: list[str], others: int) -> Rows:
    """The same seed after many episodes of other tasks, against a fresh process."""
    yield ("env", f"after {others} episodes of others", "fresh process", "equal")
    for k in range(others):
        fingerprint(ids[k % len(ids)], BENCHMARK[k])
    for id in ids:
        here = fingerprint(id, BENCHMARK[0])
        code = (
            "from benchmarks.steadiness import fingerprint;"
            f"print(fingerprint({id!r}, {BENCHMARK[0]}))"
        )
        answer = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        there = answer.stdout.splitlines()[-1]
        yield (id.removeprefix("gensim/"), here[:12], there[:12], str(here == there))


def fingerprint(id: str, seed: int) -> str:
    """A sha256 over every observation and reward of an oracle episode."""
    env = gym.make(id, obs_mode="rgbd")
    digest = hashlib.sha256()
    with suppress(OracleError):
        for step in transitions(env, Oracle(env), seed=seed):
            view = step.observation
            digest.update(view["color"].tobytes() + view["height"].tobytes())
            digest.update(repr(step.reward).encode())
    env.close()
    return digest.hexdigest()
