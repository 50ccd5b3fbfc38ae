"""Recorded datasets: their content, that it depends on seeds only, and interruptions."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gymnasium as gym
import h5py
import minari
import numpy as np
import pytest

import gensim_envs
from gensim_envs.datasets import DatasetError, Played, Summary, folder, record
from gensim_envs.errors import GensimError

BOWL = "gensim/PutBlockInBowl-v0"
DATASET = "gensim/PutBlockInBowl/oracle-v0"
SEED = 2_000
EPISODES = 24
Recorded = tuple[Path, Summary, list[Played]]
Start = Callable[..., subprocess.Popen[str]]
MAIN = Path(DATASET, "data", "main_data.hdf5")
SCRIPT = f"""
import resource, sys
from pathlib import Path
from gensim_envs.datasets import DatasetError, record

if int(sys.argv[2]):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
try:
    record(["{BOWL}"], int(sys.argv[3]), {SEED}, Path(sys.argv[1]), workers=2)
except DatasetError as error:
    sys.exit(f"refused: {{error}}")
"""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """A dataset recorded by one process, and the progress that was reported."""
    out = tmp_path_factory.mktemp("recorded")
    played: list[Played] = []
    (summary,) = record([BOWL], EPISODES, SEED, out, workers=1, progress=played.append)
    return out, summary, played


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a recording in a process group of its own."""
    with contextlib.ExitStack() as stack:

        def start(*, file_size: int = 0, episodes: int = EPISODES) -> subprocess.Popen[str]:
            arguments = [str(tmp_path), str(file_size), str(episodes)]
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", SCRIPT, *arguments],
                    start_new_session=True,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            stack.callback(process.kill)
            return process

        yield start


def parts(out: Path) -> int:
    """Number of solved seeds that are not in a dataset yet."""
    return len(list(out.glob(".gensim-demos/*/*/*/[0-9]*.hdf5")))


def wait_for_parts(process: subprocess.Popen[str], out: Path) -> None:
    """Wait until some seeds are solved."""
    deadline = time.monotonic() + 30
    while not parts(out):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)


def alive(group: int) -> list[str]:
    """Processes of a group that are not zombies."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, pgrp = stat.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(pgrp) == group and state != "Z":
            found.append((stat.parent / "cmdline").read_text())
    return found


def files(out: Path) -> dict[str, str]:
    """All files below a folder and their sha256."""
    return {
        str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in out.rglob("*")
        if path.is_file()
    }


def test_minari_reads_a_dataset(recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    out, summary, _ = recorded
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(out))
    dataset = minari.load_dataset(DATASET)
    assert list(minari.list_local_datasets()) == [DATASET]
    assert minari.namespace.list_local_namespaces() == ["gensim", "gensim/PutBlockInBowl"]
    assert dataset.total_episodes == summary.episodes == EPISODES
    assert dataset.total_steps == summary.steps == sum(len(episode) for episode in dataset)
    assert minari.MinariDataset(summary.path / "data").id == summary.dataset_id == DATASET
    env = gym.make(BOWL, disable_env_checker=True)
    assert dataset.observation_space == env.observation_space
    assert dataset.action_space == env.action_space
    env.close()
    for episode in dataset:
        n = len(episode)
        assert episode.observations["color"].shape == (n + 1, 160, 320, 3)
        assert episode.observations["height"].dtype == np.float32
        assert episode.actions.shape == (n, 6)
        assert episode.rewards.sum() == pytest.approx(1, abs=1e-9)
        assert episode.terminations.tolist() == [False] * (n - 1) + [True]
        assert not episode.truncations.any()
        assert episode.infos["success"].tolist() == [False] * n + [True]
        assert episode.infos["goals_left"][-1] == 0
        assert all(b"bowl" in sentence for sentence in episode.infos["instruction"])


def test_metadata_holds_provenance(recorded: Recorded) -> None:
    metadata = json.loads((recorded[1].path / "data" / "metadata.json").read_text())
    program = Path(gensim_envs.__file__).parent / "tasks" / "put_block_in_bowl.py"
    assert metadata["program_sha256"] == hashlib.sha256(program.read_bytes()).hexdigest()
    assert metadata["suite_version"] == gensim_envs.__version__
    assert metadata["algorithm_name"] == "oracle"
    assert metadata["split"] == "train"
    assert len(metadata["seeds"]) == EPISODES
    failed = {entry["seed"] for entry in metadata["failed_seeds"]}
    tried = range(SEED, metadata["seeds"][-1] + 1)
    assert sorted({*metadata["seeds"], *failed}) == list(tried)
    dataset = minari.MinariDataset(recorded[1].path / "data")
    kept = dataset.storage.get_episode_metadata(dataset.episode_indices)
    assert [(episode["seed"], episode["id"]) for episode in kept] == [
        (seed, index) for index, seed in enumerate(metadata["seeds"])
    ]


def test_steps_replay_exactly(recorded: Recorded) -> None:
    dataset = minari.MinariDataset(recorded[1].path / "data")
    env = dataset.recover_environment(disable_env_checker=True)
    kept = dataset.storage.get_episode_metadata(range(5))
    for episode, metadata in zip(dataset.iterate_episodes(range(5)), kept, strict=True):
        observation, info = env.reset(seed=metadata["seed"])
        for step in range(len(episode) + 1):
            for name, frames in episode.observations.items():
                np.testing.assert_array_equal(frames[step], observation[name])
            assert episode.infos["instruction"][step].decode() == info["instruction"]
            assert episode.infos["progress"][step] == info["progress"]
            if step < len(episode):
                observation, reward, *_, info = env.step(episode.actions[step])
                assert reward == episode.rewards[step]
    env.close()


def test_files_are_small_and_each_frame_can_be_read_alone(recorded: Recorded) -> None:
    out, summary, _ = recorded
    assert summary.size == sum(path.stat().st_size for path in (out / DATASET).rglob("*.*"))
    assert summary.size / (summary.steps + summary.episodes) < 80_000
    with h5py.File(out / MAIN) as file:
        color = file["episode_0/observations/color"]
        assert color.chunks == (1, 160, 320, 3)


def test_progress_reports_each_seed(recorded: Recorded) -> None:
    _, summary, played = recorded
    solved = [event for event in played if event.reason is None]
    assert [event.done for event in solved] == list(range(1, EPISODES + 1))
    assert {e.seed: e.reason for e in played if e.reason is not None} == summary.failed_seeds
    assert {(event.id, event.total) for event in played} == {(BOWL, EPISODES)}


def test_content_does_not_depend_on_workers_or_extension(
    recorded: Recorded, tmp_path: Path
) -> None:
    played: list[Played] = []
    record([BOWL], 6, SEED, tmp_path, workers=2, progress=played.append)
    record([BOWL], EPISODES, SEED, tmp_path, workers=2, progress=played.append)
    assert files(tmp_path) == files(recorded[0])
    assert len({event.seed for event in played}) == len(played)
    record([BOWL], EPISODES, SEED, tmp_path, progress=played.append)
    assert files(tmp_path) == files(recorded[0])
    assert len(played) == EPISODES + len(recorded[1].failed_seeds)


def test_killed_and_restarted(recorded: Recorded, tmp_path: Path, start: Start) -> None:
    process = start()
    wait_for_parts(process, tmp_path)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / MAIN).exists()
    kept = parts(tmp_path)
    played: list[Played] = []
    record([BOWL], EPISODES, SEED, tmp_path, workers=1, progress=played.append)
    assert sum(event.reason is None for event in played) == EPISODES - kept
    assert files(tmp_path) == files(recorded[0])


@pytest.mark.parametrize("when", ["before metadata", "before the parts are deleted"])
def test_killed_while_the_dataset_is_written(
    recorded: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    record([BOWL], 2, SEED, tmp_path, workers=1)
    with monkeypatch.context() as patch:
        write = folder.files.write

        def killed(path: Path, data: bytes, *root: Path) -> None:
            if path.name == "metadata.json":
                raise KeyboardInterrupt
            write(path, data, *root)

        if when == "before metadata":
            patch.setattr(folder.files, "write", killed)
        else:
            patch.setattr(folder.Folder, "clear", lambda _: killed(Path("metadata.json"), b""))
        with pytest.raises(KeyboardInterrupt):
            record([BOWL], EPISODES, SEED, tmp_path, workers=2)
    played: list[Played] = []
    record([BOWL], EPISODES, SEED, tmp_path, workers=2, progress=played.append)
    assert not played
    assert files(tmp_path) == files(recorded[0])


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGINT])
def test_no_worker_survives(tmp_path: Path, start: Start, signum: signal.Signals) -> None:
    process = start(episodes=1_000)
    wait_for_parts(process, tmp_path)
    if signum == signal.SIGINT:
        os.killpg(process.pid, signum)  # as a terminal does
    else:
        process.kill()
    assert process.wait(timeout=10) == -signum
    deadline = time.monotonic() + 5
    while alive(process.pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert alive(process.pid) == []
    assert process.stderr is not None
    assert "SpawnProcess" not in process.stderr.read()


@pytest.mark.parametrize("file_size", [10_000, 100_000], ids=["a part", "the dataset"])
def test_full_disk(recorded: Recorded, tmp_path: Path, start: Start, file_size: int) -> None:
    process = start(file_size=file_size)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert said.count("no space is left on the disk; free some. Then run it again") == 1
    assert "Traceback" not in said
    assert not (tmp_path / MAIN).exists()
    record([BOWL], EPISODES, SEED, tmp_path, workers=2)
    assert files(tmp_path) == files(recorded[0])


@pytest.fixture
def hasty(request: pytest.FixtureRequest) -> Iterator[str]:
    """An env of one step, in which the oracle fails where it needs more."""
    task = getattr(request, "param", BOWL)
    id = "gensim/Hasty-v0"
    gym.register(
        id,
        entry_point="gensim_envs.registration:make",
        max_episode_steps=1,
        kwargs={"task": task, "library": gym.spec(task).kwargs["library"]},
    )
    yield id
    del gym.registry[id]


def test_failed_seeds_are_passed_over(hasty: str, tmp_path: Path) -> None:
    (summary,) = record([hasty], 5, SEED, tmp_path, workers=2)
    assert summary.episodes == summary.steps == 5
    dataset = minari.MinariDataset(summary.path / "data")
    assert len(dataset) == 5
    listed = dataset.storage.metadata["failed_seeds"]
    assert {entry["seed"]: entry["reason"] for entry in listed} == summary.failed_seeds
    assert summary.failed_seeds
    assert all("not solved in 1 steps" in why for why in summary.failed_seeds.values())


@pytest.mark.parametrize("hasty", ["gensim/TowersOfHanoi-v0"], indirect=True)
def test_gives_up_where_most_seeds_fail(hasty: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=f"{hasty}: the oracle failed on 20 of 20 seeds"):
        record([hasty, BOWL], 1, SEED, tmp_path, workers=2)
    assert not (tmp_path / "gensim/Hasty").exists()
    assert (tmp_path / MAIN).exists()


def test_other_runs_are_refused(recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    out, before = recorded[0], files(recorded[0])
    changes: list[tuple[dict[str, Any], str]] = [
        ({"seed": SEED + 1}, "seed 2000, not 2001"),
        ({"split": "test"}, "split 'train', not 'test'"),
        ({"obs_mode": "state"}, "obs_mode 'rgbd', not 'state'"),
        ({"episodes": 3}, "holds 24 episodes, more than the 3 asked for"),
    ]
    for change, named in changes:
        args = {"episodes": EPISODES, "seed": SEED, "out": out, **change}
        with pytest.raises(DatasetError, match=named):
            record([BOWL], **args)
    with monkeypatch.context() as patch:
        patch.setattr(gensim_envs, "__version__", "99")
        with pytest.raises(DatasetError, match="suite_version"):
            record([BOWL], EPISODES, SEED, out)
    assert files(out) == before


def test_parts_of_other_runs_are_refused(tmp_path: Path, start: Start) -> None:
    process = start()
    wait_for_parts(process, tmp_path)
    with pytest.raises(DatasetError, match="another process is recording into"):
        record([BOWL], EPISODES, SEED, tmp_path)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    with pytest.raises(DatasetError, match="recorded with seed 2000, not 3"):
        record([BOWL], EPISODES, 3, tmp_path)


def test_state_observations(tmp_path: Path) -> None:
    (summary,) = record([BOWL], 1, SEED, tmp_path, obs_mode="state", split="test", workers=1)
    dataset = minari.MinariDataset(summary.path / "data")
    assert dataset[0].observations.shape == (summary.steps + 1, *dataset.observation_space.shape)
    env = dataset.recover_environment(disable_env_checker=True)
    np.testing.assert_array_equal(env.reset(seed=SEED)[0], dataset[0].observations[0])
    env.close()


def test_distractors_are_shown(tmp_path: Path) -> None:
    """There are zero to four more items, in images and in states, which have room for them."""
    bounds = gensim_envs.common_bounds([BOWL])
    items, covered = {}, {}
    for perturb, room in ((), 0), (("distractors",), 4):
        layout = gensim_envs.StateLayout.of(bounds | {"items": bounds["items"] + room})
        firsts = {}
        for obs_mode in ("state", "rgbd"):
            out = tmp_path / f"{obs_mode}{room}"
            (made,) = record([BOWL], 8, SEED, out, obs_mode=obs_mode, perturb=perturb, workers=1)
            dataset = minari.MinariDataset(made.path / "data")
            firsts[obs_mode] = [episode.observations for episode in dataset]
        states = np.array([each[0] for each in firsts["state"]])
        items[room] = layout.items.field(states, "present").sum(axis=(1, 2))
        covered[room] = [(each["height"][0] > 0.005).mean() for each in firsts["rgbd"]]
    more = items[4] - items[0]
    assert set(more) <= set(range(5)) and len(set(more)) > 2
    np.testing.assert_array_equal(np.greater(covered[4], covered[0]), more > 0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ids": ["gensim/NoSuchTask-v0"]}, "gensim.* `gensim list`"),
        ({"ids": ["CartPole-v1"]}, "CartPole-v1 is not an env of this suite"),
        ({"obs_mode": "smell"}, "obs_mode is 'smell'; use one of 'rgbd', 'cameras', 'state'"),
        ({"episodes": 0}, "episodes is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"workers": 0}, "workers is 0"),
        ({"perturb": ["weather"]}, "use colors, light, camera, distractors"),
    ],
)
def test_invalid_arguments_are_refused(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    args = {"ids": [BOWL], "episodes": 1, "seed": SEED, "out": tmp_path, "workers": 1, **change}
    with pytest.raises(DatasetError, match=said):
        record(**args)
    assert not (tmp_path / "gensim").exists()


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "minari", None)
    with pytest.raises(DatasetError, match=r"minari is not installed.*\.\[data\]"):
        record([BOWL], 1, SEED, tmp_path)


def test_import_is_light() -> None:
    code = (
        "import sys, gensim_envs.datasets.recording;"
        "print({'pybullet', 'h5py', 'minari'} & set(sys.modules))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "set()\n"


def present(data: Path) -> Any:
    """A folder with a dataset of one episode."""
    return SimpleNamespace(data=data, out=data, seeds=[1])


@pytest.mark.parametrize("kind", ["external", "virtual", "link", "file"])
def test_nothing_of_another_file_gets_into_a_dataset_that_is_extended(
    tmp_path: Path, kind: str
) -> None:
    with h5py.File(tmp_path / "secret.hdf5", "w") as file:
        file["numbers"] = np.arange(6.0)
    if kind == "file":
        (tmp_path / MAIN.name).symlink_to(tmp_path / "other.hdf5")
    with h5py.File(tmp_path / MAIN.name, "w") as file:
        group = file.create_group("episode_0/infos")
        file["episode_0"].attrs.update(id=0, total_steps=1)
        if kind == "external":
            group.create_dataset("x", 6, "f8", external=[(str(tmp_path / "secret.hdf5"), 0, 48)])
        elif kind == "virtual":
            layout = h5py.VirtualLayout((6,), "f8")
            layout[:] = h5py.VirtualSource(str(tmp_path / "secret.hdf5"), "numbers", (6,))
            group.create_virtual_dataset("x", layout)
        elif kind == "link":
            group["x"] = h5py.ExternalLink(str(tmp_path / "secret.hdf5"), "numbers")
    with pytest.raises(
        GensimError, match=r"main_data\.hdf5 cannot be read: (x refers|x is a link|it is a sym)"
    ):
        folder.Folder.assemble(present(tmp_path), [1])


def test_groups_with_many_names_are_checked_once(tmp_path: Path) -> None:
    with h5py.File(tmp_path / MAIN.name, "w") as file:
        group = file.create_group("episode_0")
        group.attrs.update(id=0, total_steps=1)
        for _ in range(40):  # 2**40 paths lead to the last one
            inner = group.create_group("a")
            group["b"] = inner
            group = inner
    content, steps = folder.Folder.assemble(present(tmp_path), [1])
    assert (len(content) > 0, steps) == (True, 1)
