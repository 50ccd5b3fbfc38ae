"""Vector envs of one task and of several: each env plays as it would alone."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from conftest import NOTHING
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv

from gensim_envs import StateLayout, common_bounds, mix, rollout, seeds
from gensim_envs.library import shipped
from gensim_envs.oracle import Oracle

CORNER, WHEEL, BOWL = "gensim/AlignBoxCorner-v0", "gensim/BuildWheel-v0", "gensim/PutBlockInBowl-v0"
SEED = seeds.TUNING[0]
GENERATED = sorted(record.id for record in shipped().records() if not record.hand_written)
each_form = pytest.mark.parametrize("form", ["sync", "async"])


@pytest.fixture
def opened() -> Iterator[Any]:
    """Hands envs on and closes them."""
    envs: list[Any] = []

    def open(env: Any) -> Any:
        envs.append(env)
        return env

    yield open
    for env in envs:
        env.close()


def worker(form: str) -> dict[str, str]:
    return {"context": "spawn"} if form == "async" else {}


# -------------------------------------------------------------------------------- autoreset modes


class Alone:
    """One env, played as Gymnasium says that a part of a vector env is."""

    def __init__(self, env: gym.Env[Any, Any], mode: AutoresetMode, solves: bool, seed: int):
        self.env, self.mode, self.solves = env, mode, solves
        self.observation, self.info = env.reset(seed=seed)
        self.last: tuple[Any, dict[str, Any]] | None = None
        self.over = False

    def act(self) -> np.ndarray:
        return Oracle(self.env).act() if self.solves and not self.over else NOTHING

    def step(self, action: np.ndarray) -> tuple[float, bool, bool]:
        self.last = None
        if self.over:
            assert self.mode is AutoresetMode.NEXT_STEP
            self.reset()
            return 0.0, False, False
        self.observation, reward, terminated, truncated, self.info = self.env.step(action)
        self.over = terminated or truncated
        if self.over and self.mode is AutoresetMode.SAME_STEP:
            self.last = self.observation, self.info
            self.reset()
        return float(reward), terminated, truncated

    def reset(self) -> None:
        self.observation, self.info = self.env.reset()
        self.over = False


@each_form
@pytest.mark.parametrize("mode", AutoresetMode)
def test_autoreset_is_what_gymnasium_promises(form: str, mode: AutoresetMode, opened: Any) -> None:
    """The first env runs into its limit, the second is solved by its oracle in one step."""
    options = {"autoreset_mode": mode, **worker(form)}
    envs = opened(gym.make_vec(CORNER, 2, form, vector_kwargs=options, obs_mode="state"))
    alone = [
        Alone(opened(gym.make(CORNER, obs_mode="state")), mode, bool(number), SEED + number)
        for number in range(2)
    ]
    observations, infos = envs.reset(seed=SEED)
    ends = np.zeros(2, int)
    for _ in range(10):
        actions = [each.act() for each in alone]
        observations, rewards, terminated, truncated, infos = envs.step(np.stack(actions))
        for number, each in enumerate(alone):
            expected = each.step(actions[number])
            assert (rewards[number], terminated[number], truncated[number]) == expected
            assert np.array_equal(observations[number], each.observation)
            assert info_of(infos, number) == each.info
            if each.last is not None:
                assert np.array_equal(infos["final_obs"][number], each.last[0])
                assert info_of(infos["final_info"], number) == each.last[1]
        ended = terminated | truncated
        ends += ended
        if mode is AutoresetMode.DISABLED and ended.any():
            observations, infos = envs.reset(options={"reset_mask": ended})
            assert infos["_instruction"].tolist() == ended.tolist()
            for number in np.flatnonzero(ended):
                alone[number].reset()
                assert np.array_equal(observations[number], alone[number].observation)
                assert info_of(infos, number) == alone[number].info
    assert ends.min() >= 2


def info_of(infos: dict[str, Any], number: int) -> dict[str, Any]:
    """One env's part of a vector env's infos, without what belongs to its last episode."""
    return {
        key: value[number]
        for key, value in infos.items()
        if not key.startswith(("_", "final_")) and infos[f"_{key}"][number]
    }


@each_form
def test_vector_envs_draw_a_picture_of_each(form: str, opened: Any) -> None:
    envs = opened(gym.make_vec(BOWL, 2, form, worker(form), render_mode="rgb_array"))
    envs.reset(seed=SEED)
    first, second = envs.render()
    assert first.shape == second.shape == (480, 640, 3)
    assert not np.array_equal(first, second)


# ------------------------------------------------------------------------------------------ mixes


@pytest.mark.parametrize(
    ("form", "obs_mode"), [("sync", "state"), ("sync", "rgbd"), ("async", "state")]
)
def test_a_fixed_task_in_each_worker_plays_as_it_does_alone(
    form: str, obs_mode: str, opened: Any
) -> None:
    ids = [WHEEL, BOWL, GENERATED[0]]
    options = {"obs_mode": obs_mode, "bounds": common_bounds(ids)}
    made = [partial(gym.make, gym.spec(id), **options) for id in ids]
    envs: VectorEnv = opened(
        SyncVectorEnv(made) if form == "sync" else AsyncVectorEnv(made, context="spawn")
    )
    observations, infos = envs.reset(seed=SEED)
    alone = [opened(gym.make(id, **options)) for id in ids]
    for number, env in enumerate(alone):
        assert same(part(observations, number), env.reset(seed=SEED + number)[0])
        assert infos["instruction"][number] == env.unwrapped.instruction
    actions = np.stack([Oracle(env).act() for env in alone])
    observations, rewards, *_ = envs.step(actions)
    for number, env in enumerate(alone):
        observation, reward, *_ = env.step(actions[number])
        assert same(part(observations, number), observation)
        assert rewards[number] == reward
    assert rewards.any()


@each_form
def test_make_vec_takes_a_mix(form: str, opened: Any) -> None:
    spec = mix([CORNER, GENERATED[0], BOWL])
    envs = opened(gym.make_vec(spec, 3, form, worker(form), obs_mode="state"))
    observations, infos = envs.reset(seed=SEED)
    for number in range(3):
        env = opened(gym.make(spec, obs_mode="state"))
        assert same(observations[number], env.reset(seed=SEED + number)[0])
        assert infos["instruction"][number] == env.unwrapped.instruction
        assert envs.get_attr("task_spec")[number] == env.unwrapped.task_spec
    corner = np.tile(NOTHING, (3, 1))
    assert envs.step(corner)[1].tolist() == [0, 0, 0]


def test_a_mix_draws_each_of_its_tasks_as_it_is_alone(opened: Any) -> None:
    ids = [CORNER, BOWL]
    env = opened(gym.make(mix([CORNER, BOWL, BOWL]), obs_mode="state"))
    alone = {
        id.split("/")[1].removesuffix("-v0"): opened(
            gym.make(id, obs_mode="state", bounds=common_bounds(ids))
        )
        for id in ids
    }
    drawn = []
    for seed in range(SEED, SEED + 60):
        observation, info = env.reset(seed=seed)
        assert env.observation_space.contains(observation)
        drawn.append(env.unwrapped.task_spec.name)
        if seed < SEED + 10:
            expected, expected_info = alone[drawn[-1]].reset(seed=seed)
            assert same(observation, expected)
            assert info == expected_info
    assert set(drawn) == set(alone)
    # Named twice, so two thirds of 60; 28 and 52 are about three deviations away.
    assert 28 <= drawn.count("PutBlockInBowl") <= 52


def test_the_oracle_solves_a_mix_from_reset_to_reset(opened: Any) -> None:
    env = opened(gym.make(mix([CORNER, WHEEL]), obs_mode="state"))
    assert env.spec.max_episode_steps == gym.spec(WHEEL).max_episode_steps
    env.reset(seed=SEED)
    solved = set()
    for _ in range(6):
        episode = rollout(env, Oracle(env))
        assert episode.success
        assert episode.episode_return == pytest.approx(1, abs=1e-9)
        solved.add(env.unwrapped.task_spec.name)
    assert len(solved) == 2


def test_the_spec_of_a_mix_survives_json_and_pickle(opened: Any) -> None:
    spec = mix([CORNER, BOWL])
    assert os.sep not in spec.to_json().replace("gensim/", "")
    first = opened(gym.make(spec)).reset(seed=SEED)[1]
    env = opened(gym.make(spec, obs_mode="state"))
    for each in (
        EnvSpec.from_json(spec.to_json()),
        pickle.loads(pickle.dumps(spec)),
        env.spec,
        EnvSpec.from_json(env.spec.to_json()),
    ):
        assert opened(gym.make(each)).reset(seed=SEED)[1] == first


def test_bounds_pad_and_are_common_to_all() -> None:
    ids = [BOWL, "gensim/TowersOfHanoi-v0"]
    records = [shipped().record(id) for id in ids]
    bounds = common_bounds(ids)
    assert bounds == {
        name: max(record.bounds[name] for record in records)
        for name in ("items", "places", "targets", "steps")
    }
    assert bounds not in [record.bounds for record in records]
    spaces = set()
    for each in (*ids, mix(ids)):
        env = gym.make(each, obs_mode="state", **({} if each not in ids else {"bounds": bounds}))
        spaces.add(env.observation_space.shape)
        env.close()
    assert spaces == {(StateLayout.of(bounds).size,)}


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([], "is not a list of task ids"),
        (CORNER, "is not a list of task ids"),
        (["CartPole-v1"], "CartPole-v1 is not a task of this suite"),
    ],
)
@pytest.mark.parametrize("function", [mix, common_bounds])
def test_invalid_ids_of_a_mix_are_named(function: Any, ids: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        function(ids)


def test_a_misspelt_task_is_guessed_by_gymnasium() -> None:
    with pytest.raises(gym.error.NameNotFound, match="BuildWheel"):
        mix(["gensim/BuildWheels-v0"])


@pytest.mark.parametrize(
    "bounds", [{"items": 1, "places": 0, "targets": 1, "steps": 1}, {"items": 99}]
)
def test_bounds_below_those_of_the_row_are_refused(bounds: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"BuildWheel-v0 needs at least .*common_bounds"):
        gym.make(WHEEL, bounds=bounds)


def test_options_of_a_mix_are_checked() -> None:
    with pytest.raises(TypeError, match="got an unexpected keyword argument 'obsmode'"):
        gym.make(mix([CORNER]), obsmode="state")


def part(observations: Any, number: int) -> Any:
    if isinstance(observations, dict):
        return {key: value[number] for key, value in observations.items()}
    return observations[number]


def same(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(np.array_equal(one[k], other[k]) for k in one)
    return np.array_equal(one, other)


# -------------------------------------------------------------------------------------- processes

SCRIPT = f"""
import gymnasium as gym, gensim_envs

if __name__ == "__main__":
    envs = gym.make_vec("{GENERATED[0]}", 2, "async", {{"context": "spawn"}}, obs_mode="state")
    envs.reset(seed={SEED})
    print("ready", flush=True)
    if input() == "close":
        envs.close()
        print("closed", flush=True)
        input()
    while True:
        envs.step(envs.action_space.sample())
"""
"""Two workers, each with its sandbox, that either close or step until they are interrupted."""


@pytest.fixture
def script(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """SCRIPT, ready, in a process group of its own as a shell would start it."""
    file = tmp_path / "script.py"
    file.write_text(SCRIPT)
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, str(file)],
        stdin=pipe,
        stdout=pipe,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def say(process: subprocess.Popen[str], line: str) -> None:
    process.stdin.write(line + "\n")
    process.stdin.flush()


def test_close_leaves_no_process(script: subprocess.Popen[str]) -> None:
    started = descendants(script.pid)
    started -= resource_trackers(started)
    assert len(started) >= 4  # two workers and at least one process of a sandbox in each
    say(script, "close")
    assert script.stdout.readline() == "closed\n"
    assert gone(started)


def test_an_interrupt_leaves_no_process(script: subprocess.Popen[str]) -> None:
    started = descendants(script.pid)
    say(script, "step")
    os.killpg(script.pid, signal.SIGINT)
    script.wait(timeout=30)
    assert gone(started)


def parents() -> dict[int, int]:
    """Parent of each process that is not a zombie."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except OSError:  # ended meanwhile
            continue
        if state != "Z":
            found[int(stat.parent.name)] = int(parent)
    return found


def descendants(pid: int) -> set[int]:
    tree, found, level = parents(), set[int](), {pid}
    while level:
        level = {child for child, parent in tree.items() if parent in level}
        found |= level
    return found


def resource_trackers(pids: set[int]) -> set[int]:
    """Python's own helper, which lives as long as the process that spawns."""
    return {pid for pid in pids if b"resource_tracker" in Path(f"/proc/{pid}/cmdline").read_bytes()}


def gone(pids: set[int]) -> bool:
    """Whether all have ended, within ten seconds."""
    for _ in range(100):
        if pids.isdisjoint(parents()):
            return True
        time.sleep(0.1)
    return False
