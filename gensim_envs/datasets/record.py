"""Oracle episodes over processes: seeds in, datasets out.

The content of a dataset is the first N solved seeds, counted up from the first one. Which process
played which seed, in what order, and what was killed meanwhile leaves no trace in it.
"""

from __future__ import annotations

import concurrent.futures as cf
import copy
import errno
import importlib.util
import itertools
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec

import gensim_envs
from gensim_envs.datasets import worker
from gensim_envs.datasets.folder import DatasetError, Folder, Run, locked, write
from gensim_envs.datasets.pool import Pool
from gensim_envs.library import Library, LibraryError, shipped

_TRIED = 20  # seeds after which more failures than successes are too many
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True)
class Played:
    """One seed was played.

    Attributes:
        id: of the env.
        seed: with which it was reset.
        reason: why there is no episode of it; None where it was solved.
        done: episodes there are now, those of earlier runs included.
        total: episodes asked for.
    """

    id: str
    seed: int
    reason: str | None
    done: int
    total: int


Progress = Callable[[Played], object]
"""Called in the parent process after each seed."""


@dataclass(frozen=True)
class Summary:
    """A finished dataset.

    Attributes:
        id: of the env.
        dataset_id: for `minari.load_dataset`.
        path: its folder; `path / "data"` for `minari.MinariDataset`.
        episodes: how many, all solved.
        steps: in all of them.
        failed_seeds: seeds that were passed over, and why.
        size: bytes on disk.
    """

    id: str
    dataset_id: str
    path: Path
    episodes: int
    steps: int
    failed_seeds: dict[int, str]
    size: int


class _GaveUp(DatasetError):
    """Too many seeds of one env failed; the others can still be recorded."""


def record(
    ids: Sequence[str],
    episodes: int,
    seed: int,
    out: Path,
    *,
    obs_mode: str = "rgbd",
    split: str = "train",
    workers: int | None = None,
    progress: Progress | None = None,
) -> list[Summary]:
    """Record solved episodes of the oracle, one Minari dataset for each id.

    May be interrupted or killed at any moment: calling it again goes on where it was. Calling it
    with more episodes extends the datasets. In a script, call it under
    `if __name__ == "__main__":`, since it starts processes.

    Args:
        ids: for `gym.make`.
        episodes: how many of each.
        seed: the first one; a seed that fails is passed over and listed in the metadata.
        out: folder of all datasets; Minari finds them with MINARI_DATASETS_PATH set to it.
        obs_mode: of the envs.
        split: of the envs.
        workers: processes; None for one on each core.
        progress: called after each seed.

    Raises:
        DatasetError: naming what is wrong and the remedy. With several ids, those that can be
            recorded are, before it is raised for those of which most seeds fail.
    """
    _check(episodes, seed, workers)
    out = Path(out).expanduser().resolve()
    try:
        runs = {run.spec.id: run for run in (_run(id, seed, obs_mode, split) for id in ids)}
        with locked(out), Pool(workers or _cores()) as pool:
            folders = [_open(out, run, episodes) for run in runs.values()]
            return _record_all(folders, episodes, pool, progress or (lambda _: None))
    except OSError as error:
        if error.errno in _FULL:
            why = "the disk is full. Make room and run it again: finished episodes are kept"
        else:
            why = error.strerror or str(error)
        raise DatasetError(f"{error.filename or out} cannot be written: {why}") from error


def _check(episodes: int, seed: int, workers: int | None) -> None:
    missing = [name for name in ("h5py", "minari") if importlib.util.find_spec(name) is None]
    if missing:
        raise DatasetError(
            f"{' and '.join(missing)} is not installed. Use pip install 'gensim-envs[data]'"
        )
    if episodes < 1:
        raise DatasetError(f"episodes is {episodes}; ask for at least 1")
    if seed < 0:
        raise DatasetError(f"seed is {seed}; seeds start at 0")
    if workers is not None and workers < 1:
        raise DatasetError(f"workers is {workers}; use at least 1")


def _cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _run(id: str, seed: int, obs_mode: str, split: str) -> Run:
    """What is recorded for an id.

    Raises:
        DatasetError: where there is no such env of this suite.
    """
    try:
        spec = copy.deepcopy(gym.spec(id))
        if "problem" in spec.kwargs:
            raise DatasetError(spec.kwargs["problem"])
        if not {"task", "library"} <= set(spec.kwargs):
            raise DatasetError(f"{id} is no env of this suite; `gensim list` shows them")
        if spec.max_episode_steps is None:
            raise DatasetError(f"{id} never ends: register it with max_episode_steps")
        library = spec.kwargs["library"]
        shelf = shipped() if library is None else Library(Path(library))
        record = shelf.record(spec.kwargs["task"])
    except (gym.error.Error, ImportError) as error:
        raise DatasetError(f"{error} `gensim list` shows the ids there are") from error
    except LibraryError as error:
        raise DatasetError(str(error)) from error
    spec.kwargs = {**spec.kwargs, "obs_mode": obs_mode, "split": split}
    return Run(spec, record.sha256, gensim_envs.__version__, seed)


def _open(out: Path, run: Run, episodes: int) -> Folder:
    folder = Folder(out, run)
    present = folder.metadata["total_episodes"] if folder.metadata else 0
    if present > episodes:
        raise DatasetError(
            f"{folder.root} holds {present} episodes, more than the {episodes} asked for. "
            f"Ask for at least {present}, or choose another folder with --out"
        )
    return folder


def _record_all(
    folders: Sequence[Folder], episodes: int, pool: Pool, progress: Progress
) -> list[Summary]:
    summaries, problems = [], []
    for folder in folders:
        try:
            if folder.metadata is None or folder.metadata["total_episodes"] < episodes:
                _play_all(folder, episodes, pool, progress)
                _finish(folder, episodes, pool)
            folder.clear()
            summaries.append(_summary(folder))
        except _GaveUp as error:
            problems.append(str(error))
    if problems:
        raise DatasetError("\n".join(problems))
    return summaries


@dataclass
class _Plan:
    """Seeds in their order, as far as is known.

    Attributes:
        solved: seeds of the dataset, so far.
        failed: seeds passed over, so far.
        missing: seeds that have to be played, if all of them succeed.
    """

    solved: list[int]
    failed: list[int]
    missing: list[int]


def _plan(folder: Folder, episodes: int) -> _Plan:
    """What is there and what is missing; no more seeds are played than are needed.

    Raises:
        _GaveUp: where most seeds fail. It depends on the seeds only, as all content does.
    """
    plan = _Plan([], [], [])
    for seed in itertools.count(folder.run.seed):
        if len(plan.solved) + len(plan.missing) == episodes:
            break
        if seed in folder.failed:
            plan.failed.append(seed)
        elif seed in folder.solved:
            plan.solved.append(seed)
        else:
            plan.missing.append(seed)
        tried = len(plan.solved) + len(plan.failed)
        if not plan.missing and tried >= _TRIED and len(plan.failed) > tried / 2:
            why = folder.failed[plan.failed[-1]]
            raise _GaveUp(
                f"{folder.run.spec.id}: the oracle failed on {len(plan.failed)} of {tried} seeds, "
                f"the last time with: {why}. `gensim certify {folder.run.spec.id}` tells more"
            )
    return plan


def _play_all(folder: Folder, episodes: int, pool: Pool, progress: Progress) -> None:
    """Play until the first `episodes` solved seeds are known."""
    folder.begin()
    id = folder.run.spec.id
    missing = _plan(folder, episodes).missing
    flying: dict[cf.Future[str | None], int] = {}
    while missing or flying:
        # A few for each process, so that none waits; not all, so that Ctrl-C is quick.
        while missing and len(flying) < 2 * pool.size:
            seed = missing.pop(0)
            args = folder.run.spec, seed, folder.part(seed), folder.note(seed)
            flying[pool.submit(worker.play, *args)] = seed
        for future in cf.wait(flying, return_when=cf.FIRST_COMPLETED).done:
            seed = flying.pop(future)
            reason = pool.result(future, f"{id}, seed {seed}")
            if reason is None:
                folder.solved.add(seed)
            else:
                folder.failed[seed] = reason
                missing = [s for s in _plan(folder, episodes).missing if s not in flying.values()]
            progress(Played(id, seed, reason, len(folder.solved), episodes))


def _finish(folder: Folder, episodes: int, pool: Pool) -> None:
    """Write the dataset and put it in its place."""
    from gensim_envs.datasets import hdf5

    plan, run = _plan(folder, episodes), folder.run
    assert not plan.missing
    observations, actions = pool.result(pool.submit(worker.spaces_of, run.spec), run.spec.id)
    with folder.replacing() as new:
        steps = hdf5.assemble(folder, plan.solved, new / hdf5.MAIN)
        size = (new / hdf5.MAIN).stat().st_size
        metadata = {
            **_minari_metadata(run, observations, actions),
            "total_episodes": len(plan.solved),
            "total_steps": steps,
            "dataset_size": round(size / 1e6, 1),
            **run.to_json(),
            "seeds": plan.solved,
            "failed_seeds": [{"seed": s, "reason": folder.failed[s]} for s in plan.failed],
        }
        write(new / "metadata.json", json.dumps(metadata).encode())
    folder.metadata = metadata


def _minari_metadata(
    run: Run, observations: gym.Space[Any], actions: gym.Space[Any]
) -> dict[str, Any]:
    """What Minari wants to know."""
    import minari

    from gensim_envs.datasets import hdf5

    spec: EnvSpec = run.spec
    return {
        "dataset_id": run.dataset_id,
        "minari_version": minari.__version__,
        "data_format": "hdf5",
        "jpeg_encoding": False,
        "observation_space": hdf5.space_json(observations),
        "action_space": hdf5.space_json(actions),
        "env_spec": spec.to_json(),
        "algorithm_name": "oracle",
        "description": f"Solved episodes of the oracle in {spec.id}, {spec.kwargs['split']} split",
    }


def _summary(folder: Folder) -> Summary:
    metadata = folder.metadata
    assert metadata is not None
    return Summary(
        id=folder.run.spec.id,
        dataset_id=folder.run.dataset_id,
        path=folder.root,
        episodes=metadata["total_episodes"],
        steps=metadata["total_steps"],
        failed_seeds={entry["seed"]: entry["reason"] for entry in metadata["failed_seeds"]},
        size=sum(path.stat().st_size for path in folder.data.iterdir()),
    )
