"""CPU time of resets and steps, and what it is spent on; durations of imports."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from typing import Any

import gymnasium as gym
import pybullet

from benchmarks.success import episode
from gensim_envs import Oracle, transitions
from gensim_envs.library import Library, Record, dump_records
from gensim_envs.seeds import BENCHMARK
from gensim_envs.utils.processes import processes

TASKS = ("gensim/PutBlockInBowl-v0", "gensim/StackBlockPyramid-v0", "gensim/BuildWheel-v0")
SOFT = ("gensim/AlignRope-v0", "gensim/ManipulatingTwoRopes-v0",
        "gensim/SweepingPiles-v0", "gensim/SeparatingPiles-v0")  # fmt: skip
Rows = Iterator[tuple[str, ...]]


class _Meter:
    """Adds up the time inside pybullet's own functions while it is on."""

    def __init__(self) -> None:
        self.spent: defaultdict[str, float] = defaultdict(float)
        self.calls: Counter[str] = Counter()
        self._own: dict[str, Any] = {}

    @property
    def seconds(self) -> float:
        """Inside all functions."""
        return sum(self.spent.values())

    def __enter__(self) -> _Meter:
        for name, function in vars(pybullet).items():
            if type(function).__name__ == "builtin_function_or_method":
                self._own[name] = function
        for name, function in self._own.items():
            setattr(pybullet, name, self._timed(name, function))
        return self

    def __exit__(self, *_: object) -> None:
        for name, function in self._own.items():
            setattr(pybullet, name, function)

    def _timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            start = time.process_time()
            try:
                return function(*args, **kwargs)
            finally:
                self.spent[name] += time.process_time() - start
                self.calls[name] += 1

        return call


def latency(episodes: int) -> Rows:
    """Medians of CPU milliseconds of a reset, oracle and step, an observation, a video's frame."""
    yield ("env", "reset", "oracle + step", "oracle + step, state", "image", "frame",
           "in pybullet", "in the oracle", "in the rest")  # fmt: skip
    for id in TASKS:
        resets, steps, _ = _timings(id, "rgbd", episodes)
        _, state_steps, _ = _timings(id, "state", episodes)
        images = _pictures(id, episodes, lambda env: env.unwrapped.world.top_down())
        frames = _pictures(id, episodes, lambda env: env.render(), render_mode="rgb_array")
        with _Meter() as meter:
            start = time.process_time()
            _, _, oracle = _timings(id, "rgbd", episodes)
            whole = time.process_time() - start
        shares = (meter.seconds / whole, oracle / whole, 1 - (meter.seconds + oracle) / whole)
        yield (
            id.removeprefix("gensim/"),
            *(
                f"{1e3 * statistics.median(t):.1f}"
                for t in (resets, steps, state_steps, images, frames)
            ),
            *(f"{share:.0%}" for share in shares),
        )


def soft(episodes: int) -> Rows:
    """Where the time of a step with ropes or piles goes: means in CPU milliseconds of a step."""
    yield ("env", "step", "simulation steps", "simulating", "moving the tool",
           "reading velocities", "other calls of pybullet", "the rest")  # fmt: skip
    for id in SOFT:
        spent: defaultdict[str, float] = defaultdict(float)
        calls: Counter[str] = Counter()
        whole, steps = 0.0, 0
        with _Meter() as meter:
            env = gym.make(id, obs_mode="state")
            oracle = Oracle(env)
            for seed in BENCHMARK[:episodes]:
                env.reset(seed=seed)
                ended = False
                while not ended:
                    action = oracle.act()
                    meter.spent.clear()
                    meter.calls.clear()
                    start = time.process_time()
                    _, _, terminated, truncated, _ = env.step(action)
                    whole += time.process_time() - start
                    ended, steps = terminated or truncated, steps + 1
                    for name, seconds in meter.spent.items():
                        spent[name] += seconds
                    calls.update(meter.calls)
            env.close()
        simulated = calls["stepSimulation"]
        names = ("stepSimulation", "resetBasePositionAndOrientation", "getBaseVelocity")
        named = [spent.pop(name) for name in names]
        rest = whole - sum(named) - sum(spent.values())
        yield (
            id.removeprefix("gensim/"),
            f"{1e3 * whole / steps:.1f}",
            f"{simulated / steps:.0f}",
            *(f"{1e3 * t / steps:.1f}" for t in (*named, sum(spent.values()), rest)),
        )


def _timings(id: str, obs_mode: str, episodes: int) -> tuple[list[float], list[float], float]:
    """CPU seconds of each reset and of each oracle and step, and the total of the oracle."""
    env = gym.make(id, obs_mode=obs_mode)
    env.reset(seed=BENCHMARK[0])  # starts the sandbox, which is not part of a reset
    oracle, marks = Oracle(env), [0.0]
    resets, steps, oracle_seconds = [], [], 0.0

    def lap(*_: Any) -> float:
        marks.append(time.process_time())
        return marks[-1] - marks[-2]

    def policy(*_: Any) -> Any:
        nonlocal oracle_seconds
        action = oracle.act()
        oracle_seconds += time.process_time() - marks[-1]
        return action

    for seed in BENCHMARK[:episodes]:
        lap()
        for _ in transitions(env, policy, seed=seed, start=lambda *_: resets.append(lap())):
            steps.append(lap())
    env.close()
    return resets, steps, oracle_seconds


def _pictures(id: str, episodes: int, take: Callable[[Any], object], **options: Any) -> list[float]:
    """CPU seconds of each first picture of an episode, but that which sets up the renderer."""
    env: Any = gym.make(id, **options)
    env.reset(seed=BENCHMARK[0])
    take(env)
    times = []
    for seed in BENCHMARK[:episodes]:
        env.reset(seed=seed)
        start = time.process_time()
        take(env)
        times.append(time.process_time() - start)
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


def _play(executor: Executor, id: str, episodes: int) -> None:
    list(executor.map(episode, [id] * episodes, ["oracle"] * episodes, BENCHMARK[:episodes]))


def start_up(repeats: int) -> Rows:
    """Medians of import time and of registering 10,000 records, each in fresh processes."""
    yield ("what", "median, s")
    for what, before, code in (
        ("import gensim_envs, beyond gymnasium", "import gymnasium", "import gensim_envs"),
        (
            "register 10,000 records",
            "import gensim_envs, gymnasium, benchmarks.speed as b; b.many_records('{folder}')",
            "gensim_envs.register_library('{folder}')",
        ),
    ):
        times = [_timed_code(before, code) for _ in range(repeats)]
        yield (what, f"{statistics.median(times):.3f}")


def many_records(folder: str) -> None:
    """Write a registry of 10,000 records."""
    from pathlib import Path

    records = [
        Record(f"gensim/Many{k}-v0", f"generated/many{k}.py", "0" * 64, "", "",
            {"items": 1, "places": 1, "targets": 1, "steps": 1}, 4, {})
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
