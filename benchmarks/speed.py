"""How long things take, and where the time goes."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import gymnasium as gym
import pybullet

from benchmarks.success import episode
from gensim_envs import Oracle
from gensim_envs.library import Library, Record, dump_records
from gensim_envs.seeds import BENCHMARK
from gensim_envs.utils.processes import processes

TASKS = ("gensim/PutBlockInBowl-v0", "gensim/StackBlockPyramid-v0", "gensim/BuildWheel-v0")
Rows = Iterator[tuple[str, ...]]


class _Meter:
    """Adds up the time inside pybullet's own functions while it is on."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._own: dict[str, Any] = {}

    def __enter__(self) -> _Meter:
        for name, function in vars(pybullet).items():
            if type(function).__name__ == "builtin_function_or_method":
                self._own[name] = function
        for name, function in self._own.items():
            setattr(pybullet, name, self._timed(function))
        return self

    def __exit__(self, *_: object) -> None:
        for name, function in self._own.items():
            setattr(pybullet, name, function)

    def _timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                self.seconds += time.perf_counter() - start

        return call


def latency(episodes: int) -> Rows:
    """Medians in milliseconds of a reset, of oracle and step, and of an observation."""
    yield ("env", "reset", "oracle + step", "the same, no picture", "picture",
           "in pybullet", "in the oracle", "in the rest")  # fmt: skip
    for id in TASKS:
        resets, steps, _ = _timings(id, "rgbd", episodes)
        _, blind, _ = _timings(id, "state", episodes)
        pictures = _pictures(id, episodes)
        with _Meter() as meter:
            start = time.perf_counter()
            _, _, oracle = _timings(id, "rgbd", episodes)
            whole = time.perf_counter() - start
        shares = (meter.seconds / whole, oracle / whole, 1 - (meter.seconds + oracle) / whole)
        yield (
            id.removeprefix("gensim/"),
            *(f"{1e3 * statistics.median(t):.1f}" for t in (resets, steps, blind, pictures)),
            *(f"{share:.0%}" for share in shares),
        )


def _timings(id: str, obs_mode: str, episodes: int) -> tuple[list[float], list[float], float]:
    """Seconds of each reset and of each oracle and step, and all that the oracle took."""
    env = gym.make(id, obs_mode=obs_mode)
    env.reset(seed=BENCHMARK[0])  # starts the sandbox, which is not part of a reset
    resets, steps, thinking = [], [], 0.0
    for seed in BENCHMARK[:episodes]:
        start = time.perf_counter()
        env.reset(seed=seed)
        resets.append(time.perf_counter() - start)
        oracle, over = Oracle(env), False
        while not over:
            start = time.perf_counter()
            action = oracle.act()
            thought = time.perf_counter()
            _, _, terminated, truncated, _ = env.step(action)
            steps.append(time.perf_counter() - start)
            thinking += thought - start
            over = terminated or truncated
    env.close()
    return resets, steps, thinking


def _pictures(id: str, episodes: int) -> list[float]:
    env: Any = gym.make(id)
    times = []
    for seed in BENCHMARK[:episodes]:
        env.reset(seed=seed)
        start = time.perf_counter()
        env.unwrapped.world.top_down()
        times.append(time.perf_counter() - start)
    env.close()
    return times


def scaling(episodes: int) -> Rows:
    """Episodes a second with one and with two worker processes."""
    yield ("env", "1 process, episodes/s", "2 processes, episodes/s", "ratio")
    for id in TASKS:
        rates = []
        for workers in (1, 2):
            with processes(workers) as executor:
                _play(executor, id, 2 * workers)  # starts them
                start = time.perf_counter()
                _play(executor, id, episodes)
                rates.append(episodes / (time.perf_counter() - start))
        yield (
            id.removeprefix("gensim/"),
            *(f"{rate:.1f}" for rate in rates),
            f"{rates[1] / rates[0]:.2f}",
        )


def _play(executor: ProcessPoolExecutor, id: str, episodes: int) -> None:
    list(executor.map(episode, [id] * episodes, ["oracle"] * episodes, BENCHMARK[:episodes]))


def start_up(repeats: int) -> Rows:
    """Medians of import time and of registering 10,000 records, each in fresh processes."""
    yield ("what", "median, s")
    for what, before, code in (
        ("import gensim_envs, beyond gymnasium", "import gymnasium", "import gensim_envs"),
        (
            "register 10,000 records",
            "import gensim_envs, gymnasium, benchmarks.speed as b; b.many_rows('{folder}')",
            "gensim_envs.register_library('{folder}')",
        ),
    ):
        times = [_timed_code(before, code) for _ in range(repeats)]
        yield (what, f"{statistics.median(times):.3f}")


def many_rows(folder: str) -> None:
    """Write a registry of 10,000 records."""
    from pathlib import Path

    records = [
        Record(f"gensim/Many{k}-v0", f"generated/many{k}.py", "0" * 64, "", "",
            {"items": 1, "targets": 1, "steps": 1}, 4)
        for k in range(10_000)
    ]  # fmt: skip
    Library(Path(folder)).registry.write_text(dump_records(records), encoding="utf-8")


def _timed_code(before: str, code: str) -> float:
    program = (
        "import tempfile, time, json\n"
        "folder = tempfile.mkdtemp()\n"
        f"{before.replace('{folder}', '')}\n".replace("('')", "(folder)")
        + "start = time.perf_counter()\n"
        + code.replace("'{folder}'", "folder")
        + "\nprint(json.dumps(time.perf_counter() - start))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return float(json.loads(answer.stdout.splitlines()[-1]))
