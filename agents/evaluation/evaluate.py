"""Evaluate a policy: episodes over fixed test seeds, in processes, and a report in JSON.

An episode is a function of policy, env, split, perturbation and seed alone, so results do not
depend on the number of workers.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

import gensim_envs
from agents.errors import AgentsError
from agents.evaluation import results
from agents.evaluation.playing import (
    MAKE_ERRORS,
    Outcome,
    Setting,
    canonical,
    check_actions,
    check_registered,
    kept_policy,
    load_policy,
    of_suite,
    outcome,
)
from agents.policies.base import Policy
from gensim_envs.seeds import TEST, TRAINING
from gensim_envs.utils.processes import map_in_order
from gensim_envs.utils.progress import Progress

PERTURBATIONS: dict[str, dict[str, Any]] = {
    "colors": {"colors": "test"}, "camera": {"camera": 0.02}, "light": {"light": 1.0},
    "distractors": {"distractors": 4},
    **{f"{each}-instruction": {"instruction": each} for each in ("wrong", "blank", "paraphrased")},
}  # fmt: skip
"""What each `--perturb KEY` adds to `reset(options={"perturb": {...}})`."""
SPLITS = ("train", "test")

_CHUNK = 5  # episodes of a job
_COMPARED = TEST[:10]  # seeds over which splits are compared


def evaluate(
    source: str | Path,
    envs: Sequence[str] = (),
    *,
    seeds: Sequence[int],
    splits: Sequence[str] = ("train",),
    perturb: Mapping[str, Any] | None = None,
    workers: int | None = None,
    videos: Path | None = None,
    max_videos: int = 5,
) -> dict[str, Any]:
    """Play episodes and return a report that can be written as JSON.

    A script must call it under `if __name__ == "__main__":`, since it starts processes.

    Args:
        source: name of a scripted policy, or folder of a checkpoint.
        envs: ids; by default those that the policy was trained on.
        seeds: one episode of each env and split for each.
        splits: "train", "test" or both. With both, "test" is left out for an env that shows the
            same colours and shapes in both, or is not of this suite.
        perturb: `options["perturb"]` of each reset.
        workers: number of processes; by default one for each core.
        videos: folder for videos of failed episodes; by default none are recorded.
        max_videos: number of videos, taken from the settings in turn.

    Returns:
        The report; see `agents.evaluation.results.summary`.

    Raises:
        AgentsError: before any episode, if the policy cannot act in these envs or a seed is one of
            training.
    """
    began = time.monotonic()
    _check(seeds, splits)
    if videos is not None:
        from agents.evaluation.videos import check_writable

        check_writable(videos)
    policy = load_policy(source)
    if policy.spec is not None and not envs:
        envs = policy.spec.envs
        check_registered(envs, "the checkpoint")
    if not envs:
        raise AgentsError(f"{source} was trained on no task; give some with --env or --tasks")
    envs = list(dict.fromkeys(map(canonical, envs)))
    settings, left_out = _settings(policy, envs, splits, perturb or {})
    foreign = [env for env in envs if not of_suite(env)]
    if foreign and (perturb or videos is not None):
        raise AgentsError(
            f"{foreign[0]} is not of this suite, and only its tasks can be perturbed and recorded; "
            "omit --perturb and --videos"
        )
    if not settings:
        raise AgentsError(f"no setting is left to play: {left_out[0]['why']}; use --split train")
    outcomes = _play_all(source, settings, seeds, workers)
    if videos is not None:
        jobs = [(source, *failure, videos) for failure in _failures(outcomes)[:max_videos]]
        with closing(map_in_order(_record, jobs, workers)) as paths:
            for path in paths:
                print(f"wrote {path}", file=sys.stderr, flush=True)
    return {
        "policy": str(source) if policy.spec is None else policy.spec.policy,
        "checkpoint": None if policy.spec is None else str(source),
        **results.summary(outcomes, left_out, seeds),
        "seconds": round(time.monotonic() - began, 1),
        "versions": results.versions(),
        "machine": results.machine(),
    }


def _check(seeds: Sequence[int], splits: Sequence[str]) -> None:
    if not seeds:
        raise AgentsError("seeds is empty; expected 1 or more")
    trained = [seed for seed in seeds if seed in TRAINING]
    if trained:
        raise AgentsError(f"{trained[0]} is a training seed; evaluate on seeds of TEST, {TEST}")
    wrong = [split for split in splits if split not in SPLITS]
    if wrong or not splits:
        raise AgentsError(f"split is {splits!r}; use train, test or both")


# -------------------------------------------------------------------------------------- settings


def _settings(
    policy: Policy, envs: Sequence[str], splits: Sequence[str], perturb: Mapping[str, Any]
) -> tuple[list[Setting], list[dict[str, str]]]:
    """The settings to play, which fit the policy, and what is left out and why."""
    settings, left_out = [], []
    bounds: dict[str, int] = {}
    fixed = policy.obs_mode == "state" and not policy.any_rows
    if policy.spec is not None and fixed and any(map(of_suite, envs)):
        # State vectors are as long as the longest of the training tasks.
        bounds = policy.spec.state_bounds or _common_bounds(policy.spec.envs)
    for env in envs:
        padding = bounds if of_suite(env) else {}
        if policy.any_rows and perturb.get("distractors") and of_suite(env):
            padding = _common_bounds([env])
            padding["items"] += perturb["distractors"]
        own = [
            Setting(env, split, perturb, policy.obs_mode, padding, policy.privileged)
            for split in SPLITS
            if split in splits
        ]
        _check_fit(own[0], policy)
        why = None
        if not of_suite(env):
            why = "envs that are not of this suite have one split"
        elif len(own) == 2 and not _looks(own[1]) - _looks(own[0]):
            why = f"{len(_COMPARED)} draws show no colour or shape that those of train do not"
        if why is not None and own[-1].split == "test":
            left_out.append({"env": env, "split": "test", "why": why})
            own.pop()
        settings += own
    return settings, left_out


def _common_bounds(envs: Iterable[str]) -> dict[str, int]:
    try:
        return gensim_envs.common_bounds(envs)
    except MAKE_ERRORS as error:
        raise AgentsError(
            f"the length of state vectors is unknown: {error}. `gensim list` shows the ids"
        ) from error


def _check_fit(setting: Setting, policy: Policy) -> None:
    """Check that the policy can act in the env.

    Raises:
        AgentsError: naming what does not fit.
    """
    if setting.bounds:
        needed = _common_bounds([setting.env])
        if any(most > setting.bounds[kind] for kind, most in needed.items()):
            raise AgentsError(
                f"{setting.env} needs a state vector for {needed}, that of the checkpoint is for "
                f"at most {setting.bounds}; train a policy on it"
            )
    with closing(setting.make()) as env:
        check_actions(setting.env, env.action_space)
        policy.reset(env, np.random.default_rng(0))


def _looks(setting: Setting) -> set[tuple[str, str, int]]:
    """Kind, colour and shape of everything in some draws."""
    looks: set[tuple[str, str, int]] = set()
    with closing(setting.make(obs_mode="rgbd")) as env:
        for seed in _COMPARED:
            env.reset(seed=seed)
            assets = [item.asset for item in env.get_wrapper_attr("task_spec").items]
            looks |= {(type(asset).__name__, asset.color, asset.variant) for asset in assets}
    return looks


# -------------------------------------------------------------------------------------- episodes


def _play(source: str | Path, setting: Setting, seeds: Sequence[int]) -> list[Outcome]:
    """Play some seeds of a setting, in a worker process."""
    with closing(setting.make()) as env:
        return [outcome(env, kept_policy(source), seed, setting.options) for seed in seeds]


def _play_all(
    source: str | Path, settings: Sequence[Setting], seeds: Sequence[int], workers: int | None
) -> dict[Setting, list[Outcome]]:
    """All outcomes of each setting, in the order of the seeds."""
    chunks = [seeds[k : k + _CHUNK] for k in range(0, len(seeds), _CHUNK)]
    jobs = [(source, setting, chunk) for setting in settings for chunk in chunks]
    outcomes: dict[Setting, list[Outcome]] = {setting: [] for setting in settings}
    total, done = len(settings) * len(seeds), 0
    parts = map_in_order(_play, jobs, workers)
    with closing(parts), Progress(total, unit="episode") as progress:
        for (_, setting, _), part in zip(jobs, parts, strict=True):
            outcomes[setting] += part
            before, done = done, done + len(part)
            progress.advance(len(part))
            if not progress.visible and 5 * done // total > 5 * before // total:
                progress.line(f"{done} of {total} episodes", sys.stderr)
    return outcomes


def _failures(outcomes: Mapping[Setting, Sequence[Outcome]]) -> list[tuple[Setting, int]]:
    """Settings and seeds of failed episodes: the first of each setting, then the second, ..."""
    failed = [
        [(setting, each.seed) for each in its if not (each.success or each.refused)]
        for setting, its in outcomes.items()
    ]
    return [each for row in itertools.zip_longest(*failed) for each in row if each is not None]


def _record(source: str | Path, setting: Setting, seed: int, videos: Path) -> Path:
    """Record one episode, in a worker process."""
    from agents.evaluation.videos import record

    changed = [f"{v}_{k}" if isinstance(v, str) else k for k, v in setting.perturb.items()]
    name = "-".join([setting.env.split("/")[-1], setting.split, *changed, str(seed)])
    path = videos / f"{name}.mp4"
    record(kept_policy(source), setting, seed, path)
    return path
