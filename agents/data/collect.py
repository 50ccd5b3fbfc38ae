"""Record demonstrations of the oracle for training, and export them to other machines."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gensim_envs
from agents.data import tokens
from agents.data.demonstrations import OBS_MODES, Demonstrations
from agents.errors import AgentsError
from agents.evaluation.rollout import of_suite
from gensim_envs.datasets import PERTURBATIONS, Played, find, record
from gensim_envs.seeds import TRAINING
from gensim_envs.utils.progress import Progress


def collect(
    envs: Sequence[str],
    episodes: int,
    out: Path,
    *,
    obs_mode: str = "rgbd",
    seed: int = TRAINING.start,
    workers: int | None = None,
    perturb: Sequence[str] = (),
) -> Demonstrations:
    """Record the first seeds that the oracle solves, and read them.

    Datasets that are there already are kept or extended; see `gensim_envs.datasets.record`.

    Args:
        envs: ids. State vectors are padded to their common bounds.
        episodes: number of demonstrations of each.
        out: folder of the datasets.
        obs_mode: "rgbd" or "state".
        seed: the first one; all seeds are in the training range.
        workers: number of processes; by default one on each core.
        perturb: keys of `PERTURBATIONS` to draw for each episode.

    Raises:
        DatasetError: an env cannot be demonstrated, or the folder holds something else.
        AgentsError: the seeds are not for training, or an env is not of this suite.
    """
    envs = list(dict.fromkeys(envs))
    if seed not in TRAINING or seed + episodes > TRAINING.stop:
        raise AgentsError(
            f"seeds {seed} to {seed + episodes - 1} are not all for training: those are "
            f"{TRAINING.start} to {TRAINING.stop - 1}"
        )
    for env in envs:
        if not of_suite(env):
            raise AgentsError(
                f"{env} is not a task of this suite; `gensim list` shows them. Read demonstrations "
                "of other envs with --minari"
            )
    bounds = gensim_envs.common_bounds(envs) if obs_mode == "state" else None
    with Progress(episodes * len(envs), "demonstrations", "episodes") as bar:

        def show(played: Played) -> None:
            if played.reason is None:
                bar.advance()
            else:
                bar.line(f"{played.id}: skipped seed {played.seed}: {played.reason}")

        summaries = record(
            envs, episodes, seed, out, obs_mode=obs_mode, bounds=bounds, perturb=perturb,
            workers=workers, progress=show,
        )  # fmt: skip
    return Demonstrations.load(*(summary.path for summary in summaries))


def add_parser(subparsers: Any) -> None:
    """Add `export`, which records demonstrations that train without a simulator."""
    text = "record demonstrations with the tokens of their instructions, to train elsewhere"
    parser = subparsers.add_parser("export", help=text, description=text)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--env", nargs="+", metavar="ID", help="demonstrated by the oracle")
    source.add_argument("--tasks", metavar="NAME", help="a list of tasks in suites.json")
    source.add_argument("--data", type=Path, metavar="DIR", help="add tokens to these datasets")
    parser.add_argument("--demos", type=int, default=100, metavar="N", help="of each; 100")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder of the datasets")
    parser.add_argument("--obs-mode", default="rgbd", choices=OBS_MODES)
    parser.add_argument("--seed", type=int, default=TRAINING.start, help="the first one")
    parser.add_argument("--workers", type=int, metavar="N", help="one on each core")
    parser.add_argument(
        "--perturb", nargs="+", default=[], choices=PERTURBATIONS, help="randomise each episode"
    )
    parser.add_argument(
        "--encoder", default="minilm",
        help="of the tokens: minilm, words, clip:RN50/openai, or none",
    )  # fmt: skip
    parser.set_defaults(run=_export)


def _export(options: argparse.Namespace) -> int:
    from agents.benchmark.suites import task_list
    from agents.policies.language import PROBE, encoder

    reader = None if options.encoder == "none" else encoder(options.encoder)
    if options.data is None:
        if options.out is None:
            raise AgentsError("say with --out where the datasets go")
        folder = options.out.expanduser()
        collect(
            task_list(options.tasks) if options.tasks else options.env, options.demos, folder,
            obs_mode=options.obs_mode, seed=options.seed, workers=options.workers,
            perturb=options.perturb,
        )  # fmt: skip
    else:
        folder = options.data.expanduser()
    for path in find(folder):
        demonstrations = Demonstrations.load(path)
        if reader is not None:
            instructions = list(dict.fromkeys([*demonstrations.instructions(), PROBE]))
            encoded = reader.encode(instructions)
            tokens.save(path.parent, reader.name, dict(zip(instructions, encoded, strict=True)))
        print(
            f"{path.parent}: {demonstrations.episodes} demonstrations, {len(demonstrations)} "
            f"actions, sha256 {demonstrations.sha256()}"
        )
    return 0
