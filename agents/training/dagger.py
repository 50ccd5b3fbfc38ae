"""DAgger: the learner acts, the oracle says what it would have done, and both are learned from.

Ross, Gordon and Bagnell, "A Reduction of Imitation Learning and Structured Prediction to No-Regret
Online Learning", 2011, arXiv 1011.0686, algorithm 3.1. Round 0 is behaviour cloning. Each later
round plays new training seeds, labels every state that it comes to, and trains afresh on all
demonstrations so far. Of the policies, the one that validates best is kept.

    DIR/demos-K.h5   what round K has added
    DIR/round-K/     its training run
    DIR/agent.json, DIR/model.safetensors   the checkpoint
"""

from __future__ import annotations

import concurrent.futures as cf
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from agents import files
from agents.data.demos import Demos, Sample
from agents.errors import AgentsError
from agents.policies.base import LearnedAgent, imitators, learner_class, load_agent
from agents.training import checkpoint, runs
from agents.training import loop as training
from agents.training.runs import Config

if TYPE_CHECKING:
    import gymnasium as gym

    from agents.evaluation.rollout import Row
    from agents.training.train import Source

_CHUNK = 5  # episodes that a process is given at once


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
        first = _first(inner, source, again=found is not None)
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
    return sorted([*out.glob("demos-[0-9]*.h5"), *out.glob("round-[0-9]*")])


def _clear(out: Path) -> None:
    """Removes a run from its folder, with all rounds."""
    checkpoint.clear(out)
    with files.disk_errors(out):
        for path in _parts(out):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _first(inner: Config, source: Source, *, again: bool) -> Demos:
    """The demonstrations of round 0. A run that goes on keeps what was made, and reads again what
    is read, since that may have changed.
    """
    path = inner.out / "demos-0.h5"
    if again and not source.reads and path.exists():
        return Demos.load(path)
    return runs.chosen(inner, source.demos(learner_class(inner.agent).obs_mode))


def _check_oracle(demos: Demos, learner: str) -> None:
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
    inner: Config, options: Options, own: Mapping[str, Any], source: Source, first: Demos
) -> None:
    """Makes and trains on what is not yet there."""
    parts: list[Demos] = []
    for number in range(options.rounds + 1):
        path = inner.out / f"demos-{number}.h5"
        if not path.exists():
            if number == 0:
                made = first
            else:
                last, share = inner.out / f"round-{number - 1}", options.beta**number
                made = _visited(last, parts, options.episodes, share, source.workers)
            made.save(path)
        parts.append(Demos.load(path))
        validate = source.validate(parts[0].envs)
        demos = Demos.joined(parts)
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


# ----------------------------------------------------------------------- where the policy comes to


def _visited(
    folder: Path, so_far: Sequence[Demos], episodes: int, share: float, workers: int | None
) -> Demos:
    """The states that a checkpoint's policy comes to on new seeds, with the oracle's actions.

    Raises:
        AgentsError: the oracle can label none of them.
    """
    import gensim_envs
    from agents.data.workers import cores, processes
    from agents.evaluation.rollout import Row

    envs, mode = so_far[0].envs, so_far[0].obs_mode
    room = so_far[0].state_bounds or (gensim_envs.common_bounds(envs) if mode == "state" else {})
    bounds = tuple(sorted(room.items()))
    jobs: list[tuple[Row, range]] = []
    for env in envs:
        row = Row(env, "train", (), mode, bounds)
        first = 1 + max(seed for part in so_far for seed in part.seeds(env))
        stop = first + episodes
        jobs += [(row, range(k, min(k + _CHUNK, stop))) for k in range(first, stop, _CHUNK)]
    with processes(min(workers or cores(), len(jobs))) as executor:
        futures: list[cf.Future[tuple[Demos, int]]] = [
            executor.submit(_labelled, folder, row, seeds, share) for row, seeds in jobs
        ]
        results = [future.result() for future in futures]
    visited = Demos.joined([demos for demos, _ in results])
    left_out = sum(count for _, count in results)
    _say(f"{len(visited)} states labelled, {left_out} that the oracle cannot solve left out")
    if not len(visited):
        raise AgentsError("the oracle can solve none of the states that the policy comes to")
    return visited


def _labelled(folder: Path, row: Row, seeds: Sequence[int], share: float) -> tuple[Demos, int]:
    """Plays some seeds, in a process of its own; returns also how many states have no label."""
    from agents.evaluation.rollout import Refused, episode

    agent, env = load_agent(folder), row.make()
    demos, left_out = Demos(agent.obs_mode, *agent.about.bounds, agent.about.state_bounds), 0
    try:
        for seed in seeds:
            labeller = _Labeller(agent, row.env, share)
            try:
                for _ in episode(env, labeller, seed):
                    pass
            except Refused:
                continue  # a draw that has no room for all its things
            left_out += labeller.left_out
            if labeller.samples:
                demos.add_episode(row.env, seed, labeller.samples)
    finally:
        env.close()
    return demos, left_out


class _Labeller:
    """Acts as a policy does, or now and then as the oracle, whose action it notes each time."""

    def __init__(self, agent: LearnedAgent, env: str, share: float) -> None:
        self.obs_mode = agent.obs_mode
        self.samples: list[Sample] = []
        self.left_out = 0
        self._agent, self._env, self._share = agent, env, share

    def begin(self, env: gym.Env[Any, Any], rng: np.random.Generator) -> None:
        import gensim_envs

        self._agent.begin(env, rng)
        self._oracle, self._rng = gensim_envs.Oracle(env), rng

    def act(self, observation: Any, instruction: str) -> NDArray[np.float32]:
        import gensim_envs

        oracle_acts = self._rng.random() < self._share
        own = self._agent.act(observation, instruction)
        try:
            label = np.asarray(self._oracle.act(), np.float32)
        except gensim_envs.OracleError:
            self.left_out += 1
            return own
        seen = {"state": observation} if self.obs_mode == "state" else observation
        self.samples.append(
            Sample(
                env=self._env,
                episode=0,
                step=len(self.samples),
                instruction=instruction,
                action=label,
                **seen,
            )
        )
        return label if oracle_acts else own

    def heatmaps(self) -> None:
        return None
