"""DAgger: the learner acts, the oracle says what it would have done, and both are learned from.

Ross, Gordon and Bagnell, "A Reduction of Imitation Learning and Structured Prediction to No-Regret
Online Learning", 2011, arXiv 1011.0686, algorithm 3.1. Round 0 is behaviour cloning. Each later
round plays new training seeds, labels every state that it comes to, and trains afresh on all
demonstrations so far. Of the policies, the one that validates best is kept.

    DIR/demos/       the first demonstrations, unless they are read from elsewhere
    DIR/demos-K/     the states that round K has added, a Minari dataset for each task
    DIR/round-K/     its training run
    DIR/agent.json, DIR/model.safetensors   the checkpoint
"""

from __future__ import annotations

import functools
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from agents import files
from agents.data.demonstrations import Demonstrations
from agents.errors import AgentsError
from agents.policies.base import LearnedAgent, imitators, learner_class, load_agent
from agents.training import checkpoint, runs
from agents.training import loop as training
from agents.training.runs import Config

if TYPE_CHECKING:
    import gymnasium as gym

    from agents.training.train import Source
    from gensim_envs.datasets.worker import Respond


@dataclass(frozen=True)
class Options:
    """What it does beyond training."""

    learner: str = "bc_state"
    """What is trained; its own options are those of this name."""
    rounds: int = 4
    """Times that the policy plays and learns from it, after cloning."""
    episodes: int = 25
    """That it plays of each task in a round."""
    beta: float = 0.0
    """In round k the oracle acts in a share beta ** k of the steps, the policy in the others."""

    def __post_init__(self) -> None:
        if self.rounds < 1 or self.episodes < 1 or not 0 <= self.beta <= 1:
            raise AgentsError("dagger: rounds and episodes must be at least 1, beta from 0 to 1")
        if self.learner not in imitators():
            raise AgentsError(
                f"dagger: it trains {', '.join(imitators())}, not {self.learner!r:.60}"
            )


def train(config: Config, settings: Mapping[str, Mapping[str, Any]], source: Source) -> Path:
    """Runs all rounds, or goes on where it was broken off.

    Args:
        config: of the run; its steps are those of each round.
        settings: "dagger" -> Options that differ from the defaults; the learner -> its own.
        source: of the first demonstrations, and of what measures success.

    Returns:
        The folder of the run, `config.out`.

    Raises:
        AgentsError: as `agents.training.loop.train`; and where the simulator is missing.
    """
    options = Options(**settings.get("dagger", {}))
    own = settings.get(options.learner, {})
    source.need_simulator("label a learner's states")
    inner = replace(config, agent=options.learner, overwrite=False)
    described = runs.described(inner, own)
    described["training"] |= {"agent": "dagger", "dagger": asdict(options)}
    runs.check_machine(inner, own, None, validates=True)  # between the rounds it is played
    with checkpoint.locked(config.out):
        found = checkpoint.found(config.out, config.overwrite)
        if found is not None:
            runs.check_same(config.out, found, described)
            if found["training"]["finished"]:
                print(f"{config.out} is finished; --overwrite trains it anew")
                return config.out
        elif not config.overwrite and (left := _parts(config.out)):
            raise AgentsError(
                f"{left[0]} is of another run; choose another --out, or --overwrite it"
            )
        # A run that continues reads them again: what is recorded is kept, other files may change.
        first = runs.chosen(inner, source.demos(learner_class(inner.agent).obs_mode))
        _check_oracle(first, options.learner)
        described["training"]["dataset"] = first.sha256()
        if found is not None:
            runs.check_same(config.out, found, described)
        else:
            _clear(config.out)
            described["training"]["finished"] = False
            checkpoint.save_json(config.out / checkpoint.AGENT, described)
        _rounds(inner, options, own, source, first)
        _keep_best(config.out, options, described)
    return config.out


def _parts(out: Path) -> list[Path]:
    """What rounds have left in a folder."""
    return sorted([*out.glob("demos-[0-9]*"), *out.glob("round-[0-9]*")])


def _clear(out: Path) -> None:
    """Removes a run from its folder, with all rounds."""
    checkpoint.clear(out)
    with files.disk_errors(out):
        for path in _parts(out):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _check_oracle(demos: Demonstrations, learner: str) -> None:
    """Checks that the oracle can label states of each task.

    Raises:
        AgentsError: one cannot be made, or is not of this suite.
    """
    import gensim_envs
    from agents.evaluation.rollout import Row

    for env in demos.envs:
        made = Row(env, "train", (), demos.obs_mode, ()).make()
        try:
            gensim_envs.Oracle(made)
        except TypeError as error:
            raise AgentsError(
                f"{env} has no oracle: {error}. Train it with --agent {learner}"
            ) from error
        finally:
            made.close()


def _rounds(
    inner: Config, options: Options, own: Mapping[str, Any], source: Source, first: Demonstrations
) -> None:
    """Makes and trains on what is not yet there."""
    parts = [first]
    for number in range(options.rounds + 1):
        if number:
            parts.append(_visited(inner.out, number, parts, options, source.workers))
        validate = source.validate(first.envs)
        demos = Demonstrations.joined(parts)
        _say(f"round {number} of {options.rounds}: {len(demos)} labelled steps")
        out = inner.out / f"round-{number}"
        training.train(replace(inner, out=out, demos=None), demos, own, validate=validate)


def _keep_best(out: Path, options: Options, described: Mapping[str, Any]) -> None:
    """Puts the policy that validates best, or else the last one, into the run's folder."""
    headers = [
        checkpoint.load_header(out / f"round-{k}" / checkpoint.MODEL)
        for k in range(options.rounds + 1)
    ]
    best = max(range(len(headers)), key=lambda k: (headers[k].get("success", 0), k))
    folder = out / f"round-{best}"
    weights, about = checkpoint.load_tensors(folder / checkpoint.MODEL)
    checkpoint.save_tensors(out / checkpoint.MODEL, weights, about)
    trained = checkpoint.load_json(folder / checkpoint.AGENT)
    trained["training"] |= described["training"] | {"finished": True, "round": best}
    trained["training"]["seconds"] = sum(
        checkpoint.load_json(out / f"round-{k}" / checkpoint.AGENT)["training"]["seconds"]
        for k in range(options.rounds + 1)
    )
    checkpoint.save_json(out / checkpoint.AGENT, trained)
    success = about.get("success")
    said = "" if success is None else f", whose validation success is {success:.0%}"
    _say(f"kept the policy of round {best}{said}; it is in {out}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


# --------------------------------------------------------------------- states the policy visits


def _visited(
    out: Path, number: int, parts: Sequence[Demonstrations], options: Options, workers: int | None
) -> Demonstrations:
    """The states that the last round's policy visits on new seeds, with the oracle's actions.

    Raises:
        DatasetError: the oracle knows no action in most of them.
    """
    import gensim_envs
    from gensim_envs.datasets import record

    first = parts[0]
    bounds = None
    if first.obs_mode == "state":
        bounds = first.state_bounds or gensim_envs.common_bounds(first.envs)
    seed = 1 + max(seed for part in parts for env in first.envs for seed in part.seeds(env))
    behaviour = _Mixture(out / f"round-{number - 1}", options.beta**number)
    summaries = record(
        first.envs, options.episodes, seed, out / f"demos-{number}", obs_mode=first.obs_mode,
        bounds=bounds, behaviour=behaviour, workers=workers,
    )  # fmt: skip
    visited = Demonstrations.load(*(summary.path for summary in summaries))
    unlabelled = sum(summary.steps for summary in summaries) - len(visited)
    _say(f"{len(visited)} states labelled; in {unlabelled} more the oracle knows no action")
    return visited


@dataclass(frozen=True)
class _Mixture:
    """A checkpoint's policy that is replaced by the oracle in a share of the steps.

    Attributes:
        folder: of the checkpoint.
        share: of steps in which the oracle acts, where it knows an action.
    """

    name: ClassVar[str] = "dagger"

    folder: Path
    share: float

    def __call__(self, env: gym.Env[Any, Any], seed: int) -> Respond:
        """Begin an episode."""
        agent, rng = _agent(self.folder), np.random.default_rng([seed, *b"agent"])
        agent.begin(env, rng)

        def respond(observation: Any, info: dict[str, Any], label: Any) -> Any:
            oracle_acts = rng.random() < self.share
            own = agent.act(observation, info["instruction"])
            return label if oracle_acts and label is not None else own

        return respond


@functools.lru_cache(1)
def _agent(folder: Path) -> LearnedAgent:
    """The policy of a checkpoint, kept for the next episode."""
    return load_agent(folder)
