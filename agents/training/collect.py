"""Record demonstrations of the oracle for training, and export them to other machines."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Literal

import gymnasium as gym
from tyro.conf import arg

import gensim_envs
from agents.data import tokens
from agents.data.demonstrations import Demonstrations
from agents.errors import AgentsError
from agents.evaluation.playing import canonical, of_suite
from agents.ranges import Checked, Natural, Positive, Share
from agents.suites import task_list
from agents.training.config import DISTURB
from gensim_envs.datasets import PERTURBATIONS, Disturbed, Played, find, record
from gensim_envs.seeds import TRAINING
from gensim_envs.utils import cli
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
    disturb: float = DISTURB,
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
        perturb: what to randomise in each episode: colors, light, camera or distractors.
        disturb: share of the executed actions that go wrong; see `gensim_envs.datasets.Disturbed`.

    Raises:
        DatasetError: if an env cannot be demonstrated, or the folder holds something else.
        AgentsError: if the seeds are not for training, or an env is not of this suite.
    """
    envs = list(dict.fromkeys(envs))
    if seed not in TRAINING or seed + episodes > TRAINING.stop:
        raise AgentsError(
            f"seeds {seed} to {seed + episodes - 1} are not all for training: those are "
            f"{TRAINING.start} to {TRAINING.stop - 1}"
        )
    envs = list(map(canonical, envs))
    check_tasks(envs)
    bounds = gensim_envs.common_bounds(envs) if obs_mode == "state" else None
    with Progress(episodes * len(envs), "demonstrations", "episodes") as bar:

        def show(played: Played) -> None:
            if played.reason is None:
                bar.advance()
            else:
                bar.line(f"{played.id}: skipped seed {played.seed}: {played.reason}")

        summaries = record(
            envs, episodes, seed, out, obs_mode=obs_mode, bounds=bounds, perturb=perturb,
            behaviour=Disturbed(disturb) if disturb else None, workers=workers, progress=show,
        )  # fmt: skip
    return Demonstrations.load(*(summary.path for summary in summaries))


def check_tasks(envs: Iterable[str]) -> None:
    """Check that envs are tasks of this suite, which the oracle can demonstrate.

    Raises:
        AgentsError: if one is not.
    """
    for env in envs:
        if not of_suite(env):
            near = difflib.get_close_matches(env, filter(of_suite, gym.registry), 1)
            similar = f". Similar: {near[0]}" if near else ""
            raise AgentsError(
                f"{env} is not a task of this suite{similar}; `gensim list` shows them. Read "
                "demonstrations of other envs with --data"
            )


@dataclass(frozen=True, kw_only=True)
class ExportConfig(Checked):
    """Options of `python -m agents export`."""

    option_prefix = ""

    env: Annotated[tuple[str, ...], arg(metavar="ID ...")] = ()
    """Tasks that the oracle demonstrates."""
    tasks: str | None = None
    """A list of tasks in suites.json."""
    data: Path | None = None
    """Add tokens to the datasets in this folder."""
    demos: Positive = 100
    """Demonstrations of each task."""
    out: Path | None = None
    """Folder of the datasets."""
    obs_mode: Literal["rgbd", "state"] = "rgbd"
    """Observations: images or state vectors."""
    seed: Natural = TRAINING.start
    """The first seed."""
    workers: cli.Workers = None
    perturb: tuple[Literal[tuple(PERTURBATIONS)], ...] = ()  # type: ignore[valid-type]
    """Randomisations of each episode."""
    disturb: Share = DISTURB
    """Share of the executed actions that go wrong, so that demonstrations show how to recover."""
    encoder: str = "minilm"
    """Text encoder of the tokens: minilm, words, clip:RN50/openai, or none."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if sum(map(bool, (self.env, self.tasks, self.data))) != 1:
            raise AgentsError("give one of --env, --tasks and --data")
        if self.data is None and self.out is None:
            raise AgentsError("--out is missing, the folder of the datasets")
        for each in fields(self) if self.data else ():
            if each.name not in ("data", "encoder") and getattr(self, each.name) != each.default:
                raise AgentsError(
                    f"--{each.name.replace('_', '-')} only affects new recordings, but --data "
                    "names recorded ones; omit it"
                )


def export(config: ExportConfig) -> None:
    """Record demonstrations with the tokens of their instructions, to train elsewhere."""
    from agents.policies.registry import text_encoder
    from agents.policies.text_encoders import PROBE

    encoder = None if config.encoder == "none" else text_encoder(config.encoder)
    folder = Path(os.path.expanduser(config.data or config.out or ""))
    if config.data is None:
        collect(
            task_list(config.tasks) if config.tasks else config.env, config.demos, folder,
            obs_mode=config.obs_mode, seed=config.seed, workers=config.workers,
            perturb=config.perturb, disturb=config.disturb,
        )  # fmt: skip
    for path in find(folder):
        demonstrations = Demonstrations.load(path)
        if encoder is not None:
            instructions = list(dict.fromkeys([*demonstrations.instructions(), PROBE]))
            encoded = encoder.encode(instructions)
            tokens.save(path.parent, encoder.name, dict(zip(instructions, encoded, strict=True)))
        print(
            f"{path.parent}: {demonstrations.episodes} demonstrations, {len(demonstrations)} "
            f"actions, sha256 {demonstrations.sha256()}"
        )
