"""Demonstrations of the oracle, made in several processes, and their export to a file."""

from __future__ import annotations

import argparse
import concurrent.futures as cf
import itertools
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec
from tqdm import tqdm

import gensim_envs
from agents.data.datasets import check_spaces, from_minari
from agents.data.demos import OBS_MODES, Demos, Sample
from agents.data.workers import cores, processes
from agents.errors import AgentsError
from gensim_envs.seeds import TRAINING

PERTURBATIONS: dict[str, Callable[[np.random.Generator], Any]] = {
    "colors": lambda rng: "train",
    "light": lambda rng: float(rng.uniform(0, 1)),
    "camera": lambda rng: float(rng.uniform(0, 0.02)),
}
"""What may be randomised in each episode, and how strongly: colours of the training split, any
light, and cameras off by up to 2 cm, which is an estimate of a careless calibration."""

__all__ = ["PERTURBATIONS", "Played", "Progress", "add_parser", "collect", "from_minari"]

_TRIED = 20  # seeds after which more failures than successes are too many


@dataclass(frozen=True)
class Played:
    """One seed was played.

    Attributes:
        env: id of the env.
        seed: with which it was reset.
        reason: why it gave no demonstration; None where it did.
        done: demonstrations there are now, of this env.
        total: demonstrations asked for, of this env.
    """

    env: str
    seed: int
    reason: str | None
    done: int
    total: int


def collect(
    envs: Sequence[str],
    episodes: int,
    *,
    obs_mode: str = "rgbd",
    seed: int = TRAINING.start,
    workers: int | None = None,
    perturb: Sequence[str] | None = None,
    progress: Callable[[Played], object] | None = None,
) -> Demos:
    """Demonstrations of the first seeds that the oracle solves, equal for any number of workers.

    Args:
        envs: ids. In the state mode all are made with their common bounds.
        episodes: how many of each.
        obs_mode: "rgbd" or "state".
        seed: the first one; it and all others are of the training range.
        workers: processes; None for one on each core.
        perturb: keys of `PERTURBATIONS` to draw for each episode, from its seed.
        progress: called after each seed, in this process; a `Progress` for example.

    Raises:
        AgentsError: at once where an env cannot be demonstrated; later where the oracle fails on
            most seeds.
    """
    _check(episodes, seed, workers, perturb or ())
    specs = [_spec(env) for env in dict.fromkeys(envs)]
    options: dict[str, Any] = {"obs_mode": obs_mode}
    if obs_mode == "state":
        options["bounds"] = _common_bounds(envs)
    games = [_Game(spec, options, tuple(perturb or ())) for spec in specs]
    count = workers or cores()
    with processes(count) as executor:
        parts = list(executor.map(_nothing_played, games))  # before anything long begins
        for game in games:
            parts += _first_solved(executor, 2 * count, game, episodes, seed, progress)
    return Demos.joined(parts)


def _check(episodes: int, seed: int, workers: int | None, perturb: Sequence[str]) -> None:
    if episodes < 1:
        raise AgentsError(f"{episodes} demonstrations of each env are asked for; ask for 1 or more")
    if workers is not None and workers < 1:
        raise AgentsError(f"{workers} workers are asked for; use 1 or more")
    if seed not in TRAINING or seed + episodes > TRAINING.stop:
        raise AgentsError(
            f"seeds {seed} to {seed + episodes - 1} are not all for training: those are "
            f"{TRAINING.start} to {TRAINING.stop - 1}"
        )
    for key in perturb:
        if key not in PERTURBATIONS:
            raise AgentsError(f"{key!r} cannot be randomised; use {', '.join(PERTURBATIONS)}")


def _spec(env: str) -> EnvSpec:
    try:
        return gym.spec(env)
    except (gym.error.Error, ImportError) as error:
        raise AgentsError(f"{error} `gensim list` shows the ids there are") from error


def _common_bounds(envs: Sequence[str]) -> dict[str, int]:
    try:
        return gensim_envs.common_bounds(envs)
    except (ValueError, gensim_envs.LibraryError) as error:
        raise AgentsError(str(error)) from error


def _first_solved(
    executor: cf.Executor,
    flying_at_most: int,
    game: _Game,
    episodes: int,
    first: int,
    progress: Callable[[Played], object] | None,
) -> list[Demos]:
    """Play seeds in their order until `episodes` are solved.

    Raises:
        AgentsError: where most seeds fail. Like the result, it depends on the seeds only.
    """
    known: dict[int, Demos | str] = {}
    flying: dict[cf.Future[Demos | str], int] = {}
    fresh = itertools.count(first)
    while True:
        solved = [seed for seed, result in known.items() if isinstance(result, Demos)]
        # A few for each process, so that none waits; never more than may be needed.
        while len(flying) < min(flying_at_most, episodes - len(solved)):
            seed = next(fresh)
            flying[executor.submit(_play, game, seed)] = seed
        if not flying:
            return [result for _, result in sorted(known.items()) if isinstance(result, Demos)]
        for future in cf.wait(flying, return_when=cf.FIRST_COMPLETED).done:
            seed, result = flying.pop(future), future.result()
            known[seed] = result
            _give_up_if_most_fail(game.spec.id, first, known)
            if progress is not None:
                reason = result if isinstance(result, str) else None
                done = sum(isinstance(each, Demos) for each in known.values())
                progress(Played(game.spec.id, seed, reason, done, episodes))


def _give_up_if_most_fail(env: str, first: int, known: Mapping[int, Demos | str]) -> None:
    # Seeds are counted from the first to the first unknown one, since any order may be theirs.
    inorder = itertools.takewhile(known.__contains__, itertools.count(first))
    failures = 0
    for tried, seed in enumerate(inorder, 1):
        result = known[seed]
        failures += isinstance(result, str)
        if tried >= _TRIED and failures > tried / 2:
            raise AgentsError(
                f"{env}: the oracle failed on {failures} of {tried} seeds, the last time with: "
                f"{next(known[s] for s in range(seed, -1, -1) if isinstance(known[s], str))}. "
                f"`gensim certify {env}` tells more; leave this env out"
            )


class Progress:
    """A bar on a terminal and plain lines elsewhere, for `collect`'s `progress`."""

    def __init__(self, total: int) -> None:
        self._bar = tqdm(total=total, desc="demos", leave=False, disable=not sys.stderr.isatty())
        self._failed = 0

    def __call__(self, played: Played) -> None:
        """Count a seed, and say what cannot be seen from a bar."""
        if played.reason is not None:
            self._failed += 1
            self._say(f"{played.env}: seed {played.seed} was passed over: {played.reason}")
            return
        self._bar.update(1)
        if played.done == played.total:
            self._say(
                f"{played.env}: {played.done} demonstrations, {self._failed} seeds passed over"
            )
            self._failed = 0

    def _say(self, line: str) -> None:
        self._bar.clear()
        print(line, file=sys.stderr, flush=True)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()


# ------------------------------------------------------------------------------------- the command


def add_parser(subparsers: Any) -> None:
    """Add `export`, which writes demonstrations to a file that trains without a simulator."""
    text = "write demonstrations to a file, for training where there is no simulator"
    parser = subparsers.add_parser("export", help=text, description=text)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--env", nargs="+", metavar="ID", help="demonstrated by the oracle")
    source.add_argument("--tasks", metavar="NAME", help="a list of tasks in suites.json")
    source.add_argument("--minari", nargs="+", metavar="DATASET", help="datasets to read instead")
    parser.add_argument("--minari-root", type=Path, metavar="DIR", help="the folder of datasets")
    parser.add_argument("--demos", type=int, default=100, metavar="N", help="of each; 100")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.h5")
    parser.add_argument("--overwrite", action="store_true", help="replace the file")
    parser.add_argument("--obs-mode", default="rgbd", choices=OBS_MODES)
    parser.add_argument("--seed", type=int, default=TRAINING.start, help="the first one")
    parser.add_argument("--workers", type=int, metavar="N", help="one on each core")
    parser.add_argument(
        "--perturb", nargs="+", default=[], choices=PERTURBATIONS, help="randomise each episode"
    )
    parser.add_argument(
        "--encoder", default="minilm",
        help="whose tokens are put into the file: minilm, words, clip:RN50/openai, or none",
    )  # fmt: skip
    parser.set_defaults(run=_export)


def _export(options: argparse.Namespace) -> int:
    from agents.benchmark.suites import task_list
    from agents.policies.language import PROBE, encoder

    out = options.out.expanduser()
    _check_place(out, options.overwrite)
    reader = None if options.encoder == "none" else encoder(options.encoder)
    if options.minari:
        demos = from_minari(options.minari, options.minari_root, options.demos)
    else:
        envs = task_list(options.tasks) if options.tasks else options.env
        with Progress(options.demos * len(envs)) as progress:
            demos = collect(
                envs, options.demos, obs_mode=options.obs_mode, seed=options.seed,
                workers=options.workers, perturb=options.perturb, progress=progress,
            )  # fmt: skip
    if reader is not None:
        sentences = list(dict.fromkeys([*demos.instructions(), PROBE]))
        demos.tokens[reader.name] = dict(zip(sentences, reader.encode(sentences), strict=True))
    demos.save(out)
    print(
        f"wrote {out}: {demos.episodes} demonstrations, {len(demos)} actions, "
        f"{out.stat().st_size / 1e6:.1f} MB, sha256 {demos.sha256()}"
    )
    return 0


def _check_place(out: Path, overwrite: bool) -> None:
    """Say so now where the file cannot be written: the demonstrations take minutes."""
    folder = out.absolute().parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise AgentsError(f"{folder} is no folder that can be written; make it, or choose another")
    if out.is_dir():
        raise AgentsError(f"{out} is a folder; name a file in it")
    if out.exists() and not overwrite:
        raise AgentsError(f"{out} exists. Choose another name, or say --overwrite")


# --------------------------------------------------------------------------- in a worker process


@dataclass(frozen=True)
class _Game:
    """What a worker needs to know to play seeds of an env.

    Attributes:
        spec: the spec itself, so that nothing need be registered in a worker.
        options: for `gym.make`.
        perturb: keys of `PERTURBATIONS`.
    """

    spec: EnvSpec
    options: dict[str, Any]
    perturb: tuple[str, ...]


_made: tuple[_Game, gym.Env[Any, Any]] | None = None


def _env(game: _Game) -> gym.Env[Any, Any]:
    """The env, kept for the next seed.

    Raises:
        AgentsError: where there is none that can be demonstrated.
    """
    global _made
    if _made is None or _made[0] != game:
        if _made is not None:
            _made[1].close()
            _made = None
        _made = game, _checked_env(game)
    return _made[1]


def _checked_env(game: _Game) -> gym.Env[Any, Any]:
    id, obs_mode = game.spec.id, game.options["obs_mode"]
    try:
        env: gym.Env[Any, Any] = gym.make(game.spec, disable_env_checker=True, **game.options)
    except (gym.error.Error, gensim_envs.TaskError, gensim_envs.LibraryError) as error:
        raise AgentsError(f"{id} cannot be made: {error}") from error
    except (ImportError, TypeError, ValueError) as error:
        raise AgentsError(
            f"{id} cannot be made with {game.options}: {error}. Demonstrations are made of this "
            "suite's envs; read those of others with --minari"
        ) from error
    try:
        gensim_envs.Oracle(env)
    except TypeError as error:
        raise AgentsError(
            f"{id} has no oracle: {error}. Read demonstrations of it with --minari"
        ) from error
    check_spaces(id, obs_mode, env.observation_space, env.action_space)
    return env


def _nothing_played(game: _Game) -> Demos:
    """Where the demonstrations of an env are to go; an error where there can be none."""
    box = _env(game).action_space
    assert isinstance(box, spaces.Box)
    return Demos(game.options["obs_mode"], box.low, box.high, game.options.get("bounds", {}))


def _play(game: _Game, seed: int) -> Demos | str:
    """The demonstration of one seed, or why there is none."""
    env = _env(game)
    try:
        samples, info = _episode(env, game, seed)
    except (gensim_envs.OracleError, gensim_envs.TaskError) as error:
        return f"{type(error).__name__}: {error}"
    if not info["success"]:
        return f"not solved in {len(samples)} steps, progress {info['progress']:.2f}"
    demos = _nothing_played(game)
    demos.add_episode(game.spec.id, seed, samples)
    return demos


def _episode(env: gym.Env[Any, Any], game: _Game, seed: int) -> tuple[list[Sample], dict[str, Any]]:
    """What the oracle saw and did, and the last info."""
    observation, info = env.reset(seed=seed, options=_reset_options(game.perturb, seed))
    oracle, over = gensim_envs.Oracle(env), False
    samples: list[Sample] = []
    while not over:
        action = oracle.act()
        seen = {"state": observation} if isinstance(observation, np.ndarray) else observation
        samples.append(
            Sample(
                env=game.spec.id,
                episode=0,
                step=len(samples),
                instruction=info["instruction"],
                action=action,
                **seen,
            )
        )
        observation, _, terminated, truncated, info = env.step(action)
        over = terminated or truncated
    return samples, info


def _reset_options(keys: Sequence[str], seed: int) -> dict[str, Any] | None:
    """The perturbations of an episode; each key has a generator of its own."""
    if not keys:
        return None
    drawn = {key: PERTURBATIONS[key](np.random.default_rng([seed, *key.encode()])) for key in keys}
    return {"perturb": drawn}
