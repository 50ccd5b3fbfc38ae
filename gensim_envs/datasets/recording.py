"""Record episodes of the oracle in several processes: seeds in, Minari datasets out.

A dataset holds the first N solved seeds, counted up from the first one. Its content depends neither
on which process played which seed in what order, nor on interruptions.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import importlib.util
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym

import gensim_envs
from gensim_envs.datasets import worker
from gensim_envs.datasets.folder import Folder
from gensim_envs.datasets.worker import MOST_DISTRACTORS, PERTURBATIONS, Behaviour, Run
from gensim_envs.errors import CrashError, DatasetError, FileError, LibraryError, WorkerError
from gensim_envs.library import Library
from gensim_envs.utils import files
from gensim_envs.utils.processes import in_order, processes

_TRIED = 20  # seeds after which more failures than successes are too many


@dataclass(frozen=True)
class Played:
    """A seed has been played.

    Attributes:
        id: id of the environment.
        seed: seed of the reset.
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
        id: id of the environment.
        dataset_id: id for `minari.load_dataset`.
        path: its folder; `path / "data"` for `minari.MinariDataset`.
        episodes: number of episodes, all of them solved.
        steps: number of steps in all of them.
        failed_seeds: seeds that were skipped, and why.
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
    """An env cannot be recorded, or too many of its seeds fail; the others still can."""


def record(
    ids: Sequence[str],
    episodes: int,
    seed: int,
    out: Path,
    *,
    obs_mode: str = "rgbd",
    split: str = "train",
    bounds: Mapping[str, int] | None = None,
    perturb: Sequence[str] = (),
    behaviour: Behaviour | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> list[Summary]:
    """Record solved episodes of the oracle, one Minari dataset for each id.

    It may be interrupted or killed at any moment: the same call continues. A call with more
    episodes extends the datasets. Where several actions are equally good, the oracle draws one,
    from the seed, and `infos/answers` (steps + 1, k, 7) has all of them: see `Oracle.answers`; rows
    that are not needed are NaN. In a script, call it under `if __name__ == "__main__":`, since it
    starts processes.

    Args:
        ids: ids of environments, as for `gym.make`.
        episodes: number of episodes of each id.
        seed: first seed; seeds that fail are skipped and listed in the metadata.
        out: folder of all datasets; Minari finds them with MINARI_DATASETS_PATH set to it.
        obs_mode: observation mode of the environments.
        split: colour split of the environments.
        bounds: bounds that state vectors are padded to; by default each environment's own. With
            distractors, there is room for `MOST_DISTRACTORS` more items.
        perturb: keys of `PERTURBATIONS` to draw for each episode, from its seed.
        behaviour: chooses the executed actions instead of the oracle. The recorded actions are then
            the oracle's in the states visited, episodes need not be solved, and infos also have
            `executed` (steps + 1, 6) and `labelled` (steps + 1,) bool, which is false where the
            oracle knows no action. It must be picklable. `Disturbed` is one.
        workers: number of processes; by default one on each core.
        progress: called after each seed.

    Raises:
        DatasetError: if an id cannot be recorded; the message names the remedy. If most seeds of an
            id fail, the other ids are recorded first.
    """
    _check(episodes, seed, workers, perturb)
    out = files.absolute(out)
    options: dict[str, Any] = {"obs_mode": obs_mode, "split": split}
    if bounds is not None:
        options["bounds"] = dict(bounds)
    runs = [_run(id, seed, options, tuple(perturb), behaviour) for id in dict.fromkeys(ids)]
    busy = DatasetError(
        f"another process is recording into {out}. Wait for it, or choose another --out"
    )
    try:
        with files.locked(out, busy), files.errors(out):
            folders = [Folder(out, run, episodes) for run in runs]
            incomplete = [folder for folder in folders if len(folder.seeds) < episodes]
            if incomplete:
                with processes(workers) as executor:
                    _record_all(incomplete, executor, progress or (lambda _: None))
            for folder in folders:
                folder.clear()
            return [_summary(folder) for folder in folders]
    except (FileError, WorkerError) as error:
        raise DatasetError(f"{error}. Then run it again: finished episodes are kept") from error


def _check(episodes: int, seed: int, workers: int | None, perturb: Sequence[str]) -> None:
    missing = [name for name in ("h5py", "minari") if importlib.util.find_spec(name) is None]
    if missing:
        raise DatasetError(
            f"{' and '.join(missing)} is not installed. Run pip install '.[data]' in a checkout"
        )
    for name, value, least in (
        ("episodes", episodes, 1),
        ("seed", seed, 0),
        ("workers", workers, 1),
    ):
        if value is not None and value < least:
            raise DatasetError(f"{name} is {value}; expected {least} or more")
    for key in perturb:
        if key not in PERTURBATIONS:
            raise DatasetError(f"{key!r} cannot be randomised; use {', '.join(PERTURBATIONS)}")


def _run(
    id: str, seed: int, options: dict[str, Any], perturb: tuple[str, ...],
    behaviour: Behaviour | None,
) -> Run:  # fmt: skip
    """The run that records an id.

    Raises:
        DatasetError: if the suite has no such environment.
    """
    try:
        spec = copy.deepcopy(gym.spec(id))
        if "problem" in spec.kwargs:
            raise DatasetError(spec.kwargs["problem"])
        if not {"task", "library"} <= set(spec.kwargs):
            raise DatasetError(f"{id} is not an env of this suite; `gensim list` shows them")
        if spec.max_episode_steps is None:
            raise DatasetError(f"{id} has no step limit: register it with max_episode_steps")
        record = Library.of(spec.kwargs["library"]).record(spec.kwargs["task"])
    except (gym.error.Error, ImportError) as error:
        raise DatasetError(f"{error} `gensim list` shows the ids there are") from error
    except LibraryError as error:
        raise DatasetError(str(error)) from error
    spec.kwargs = {**spec.kwargs, **options}
    bounds: Mapping[str, int] = {}
    if options["obs_mode"] == "state":
        bounds = options.get("bounds", record.bounds)
        if "distractors" in perturb:
            bounds = {**bounds, "items": bounds["items"] + MOST_DISTRACTORS}
            spec.kwargs["bounds"] = bounds
    version = gensim_envs.__version__
    return Run(spec, record.sha256, version, seed, perturb, tuple(bounds.items()), behaviour)


def _record_all(folders: Sequence[Folder], executor: Executor, progress: Progress) -> None:
    problems = []
    for folder in folders:
        try:
            _play_all(folder, executor, progress)
            _finish(folder, executor)
        except _GaveUp as error:
            problems.append(str(error))
    if problems:
        raise DatasetError("; ".join(problems))


def _plan(folder: Folder) -> tuple[list[int], list[int]]:
    """The seeds that solve the task and those that must be played, no more than are needed.

    Raises:
        _GaveUp: most seeds fail. This depends on the seeds only, as all content does.
    """
    solved: list[int] = []
    missing: list[int] = []
    failed: list[int] = []
    for seed in itertools.count(folder.run.seed):
        if len(solved) + len(missing) == folder.episodes:
            break
        known = failed if seed in folder.failed else solved if seed in folder.solved else missing
        known.append(seed)
        tried = len(solved) + len(failed)
        if not missing and tried >= _TRIED and len(failed) > tried / 2:
            id, why = folder.run.spec.id, folder.failed[failed[-1]]
            raise _GaveUp(
                f"{id}: the oracle failed on {len(failed)} of {tried} seeds; last error: "
                f"{why}. Run `gensim certify {id}` for details"
            )
    return solved, missing


def _play_all(folder: Folder, executor: Executor, progress: Progress) -> None:
    """Run episodes until as many solved seeds are known as are asked for."""
    folder.begin()
    id = folder.run.spec.id
    while missing := _plan(folder)[1]:
        jobs = ((folder.run, seed, folder.part(seed)) for seed in missing)
        with contextlib.closing(in_order(executor, worker.play, jobs)) as reasons:
            for seed in missing:
                with _named(f"{id}, seed {seed}"):
                    reason = next(reasons)
                if reason is None:
                    folder.solved.add(seed)
                else:
                    folder.failed[seed] = reason
                    _plan(folder)  # may give up
                progress(Played(id, seed, reason, len(folder.solved), folder.episodes))


@contextlib.contextmanager
def _named(what: str) -> Iterator[None]:
    """Name what failed in a worker process, unless the error says so by itself."""
    try:
        yield
    except Exception as error:
        if isinstance(error, FileError | WorkerError) and not isinstance(error, CrashError):
            raise
        raise _GaveUp(f"{what}: {type(error).__name__}: {error}") from error


def _finish(folder: Folder, executor: Executor) -> None:
    """Write the dataset; the first keys of its metadata are Minari's."""
    import minari
    from minari.serialization import serialize_space

    run, spec = folder.run, folder.run.spec
    seeds, _ = _plan(folder)
    with _named(spec.id):
        observations, actions = executor.submit(worker.spaces_of, spec).result()
    main, steps = folder.assemble(seeds)
    failed = [seed for seed in sorted(folder.failed) if seed < seeds[-1]]
    folder.finish(main, {
        "dataset_id": run.dataset_id,
        "minari_version": minari.__version__,
        "data_format": "hdf5",
        "jpeg_encoding": False,
        "observation_space": serialize_space(observations),
        "action_space": serialize_space(actions),
        "env_spec": spec.to_json(),
        "algorithm_name": run.algorithm,
        "description": f"Episodes of {run.algorithm} in {spec.id}, {spec.kwargs['split']} split",
        "total_episodes": len(seeds),
        "total_steps": steps,
        "dataset_size": round(len(main) / 1e6, 1),
        "main_data_sha256": hashlib.sha256(main).hexdigest(),
        **run.to_json(),
        "seeds": seeds,
        "failed_seeds": [{"seed": seed, "reason": folder.failed[seed]} for seed in failed],
    })  # fmt: skip


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
