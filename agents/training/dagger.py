"""DAgger: the policy acts, the oracle labels the states it visits, and the policy learns from them.

Ross, Gordon and Bagnell, "A Reduction of Imitation Learning and Structured Prediction to No-Regret
Online Learning", 2011, arXiv 1011.0686, algorithm 3.1. Round 0 is behaviour cloning. Each later
round plays new training seeds, labels every state it visits, and trains from scratch on all
demonstrations so far. The policy with the best validation is kept.

    DIR/demos-K.h5   the demonstrations of round K
    DIR/round-K/     its training run
    DIR/config.json, DIR/model.safetensors   the checkpoint
"""

from __future__ import annotations

import shutil
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from agents.data.demos import Demos, Sample
from agents.errors import AgentsError
from agents.policies.base import Policy
from agents.policies.learned import LearnedPolicy
from agents.policies.registry import policy_class, policy_names
from agents.training import checkpoint, loop
from agents.training.config import TrainConfig, check_minimum, check_same, describe
from agents.training.inputs import check_machine, select_demos
from agents.training.source import Source
from gensim_envs.utils import files
from gensim_envs.utils.processes import cores, in_order, processes

if TYPE_CHECKING:
    import gymnasium as gym

    from agents.evaluation.rollout import Setting

_CHUNK = 5  # episodes of a job


@dataclass(frozen=True)
class DaggerConfig:
    """What DAgger does beyond training."""

    policy: str = "bc_state"
    """The policy to train, whose options have its name as prefix."""
    rounds: int = 4
    """Rounds after behaviour cloning."""
    episodes: int = 25
    """Episodes of each task in a round."""
    beta: float = 0.0
    """In round k the oracle acts in a share beta ** k of the steps, the policy in the others."""

    def __post_init__(self) -> None:
        check_minimum(self, {"rounds": 1, "episodes": 1, "beta": 0})
        if not self.beta <= 1:
            raise AgentsError(f"beta is {self.beta}; expected 0 to 1")
        if self.policy not in policy_names("imitation"):
            raise AgentsError(
                f"DAgger trains {', '.join(policy_names('imitation'))}, not {self.policy!r:.60}"
            )


def train(config: TrainConfig, dagger: DaggerConfig, hyperparameters: Any, source: Source) -> Path:
    """Run all rounds, or resume them.

    Args:
        config: of the run; its steps are those of each round.
        dagger: of the rounds.
        hyperparameters: of the policy.
        source: of the first demonstrations, and of what measures success.

    Returns:
        The folder of the run, `config.out`.

    Raises:
        AgentsError: as `agents.training.loop.train`, or the simulator is missing.
    """
    source.require_simulator("label states")
    inner = replace(config, policy=dagger.policy, overwrite=False)
    described = describe(inner, hyperparameters)
    described["training"] |= {"policy": "dagger", "dagger": asdict(dagger)}
    check_machine(inner, hyperparameters, None, validates=True)  # it is played between rounds
    with checkpoint.locked(config.out):
        found = checkpoint.find(config.out, config.overwrite)
        if found is not None:
            check_same(config.out, found, described)
            if found["training"]["finished"]:
                print(f"{config.out} is finished; --overwrite trains it again")
                return config.out
        elif not config.overwrite and (left := _parts(config.out)):
            raise AgentsError(
                f"{left[0]} is of another run; choose another --out, or --overwrite it"
            )
        first = _first(inner, source, resume=found is not None)
        _check_oracle(first, dagger.policy)
        described["training"]["dataset"] = first.sha256()
        if found is not None:
            check_same(config.out, found, described)
        else:
            _clear(config.out)
            described["training"]["finished"] = False
            checkpoint.save_json(config.out / checkpoint.CONFIG, described)
        _run_rounds(inner, dagger, hyperparameters, source, first)
        _keep_best(config.out, dagger, described)
    return config.out


def _parts(out: Path) -> list[Path]:
    """The files and folders of rounds in a folder."""
    return sorted([*out.glob("demos-[0-9]*.h5"), *out.glob("round-[0-9]*")])


def _clear(out: Path) -> None:
    checkpoint.clear(out)
    for path in _parts(out):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            files.remove(path)


def _first(inner: TrainConfig, source: Source, *, resume: bool) -> Demos:
    """The demonstrations of round 0.

    A run that resumes keeps those that were made, and reads again those that are read, since they
    may have changed.
    """
    path = inner.out / "demos-0.h5"
    if resume and not source.data.exists and path.exists():
        return Demos.load(path)
    return select_demos(inner, source.demos(policy_class(inner.policy).obs_mode))


def _check_oracle(demos: Demos, policy: str) -> None:
    """Check that the oracle can label states of each task.

    Raises:
        AgentsError: one cannot be made, or is not of this suite.
    """
    import gensim_envs
    from agents.evaluation.rollout import Setting

    for env_id in demos.envs:
        env = Setting(env_id, obs_mode=demos.obs_mode).make()
        try:
            gensim_envs.Oracle(env)
        except TypeError as error:
            raise AgentsError(
                f"{env_id} has no oracle: {error}. Train it with --policy {policy}"
            ) from error
        finally:
            env.close()


def _run_rounds(
    inner: TrainConfig, dagger: DaggerConfig, hyperparameters: Any, source: Source, first: Demos
) -> None:
    """Make and train what does not exist yet."""
    parts: list[Demos] = []
    for number in range(dagger.rounds + 1):
        path = inner.out / f"demos-{number}.h5"
        if not path.exists():
            if number == 0:
                made = first
            else:
                last, share = inner.out / f"round-{number - 1}", dagger.beta**number
                made = _visited(last, parts, dagger.episodes, share, source.data.workers)
            made.save(path)
        parts.append(Demos.load(path))
        validate = source.validate(parts[0].envs)
        demos = Demos.joined(parts)
        _print(f"round {number} of {dagger.rounds}: {len(demos)} labelled steps")
        out = inner.out / f"round-{number}"
        loop.train(replace(inner, out=out, demos=None), demos, hyperparameters, validate=validate)


def _keep_best(out: Path, dagger: DaggerConfig, described: Mapping[str, Any]) -> None:
    """Put the policy with the best validation, or else the last one, into the run's folder."""
    rounds = [out / f"round-{k}" for k in range(dagger.rounds + 1)]
    success = [checkpoint.load_info(each / checkpoint.MODEL).get("success", 0) for each in rounds]
    best = max(range(len(rounds)), key=lambda k: (success[k], k))
    weights, info = checkpoint.load_tensors(rounds[best] / checkpoint.MODEL)
    checkpoint.save_tensors(out / checkpoint.MODEL, weights, info)
    configs = [checkpoint.load_json(each / checkpoint.CONFIG) for each in rounds]
    trained = configs[best]
    seconds = sum(each["training"]["seconds"] for each in configs)
    trained["training"] |= described["training"]
    trained["training"] |= {"finished": True, "round": best, "seconds": seconds}
    checkpoint.save_json(out / checkpoint.CONFIG, trained)
    validation = f", validation success {info['success']:.0%}" if "success" in info else ""
    _print(f"kept the policy of round {best}{validation}; it is in {out}")


def _print(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


# -------------------------------------------------------------------------------- visited states


def _visited(
    folder: Path, so_far: Sequence[Demos], episodes: int, share: float, workers: int | None
) -> Demos:
    """The states that a checkpoint visits on new seeds, with the actions of the oracle.

    Raises:
        AgentsError: the oracle can label none of them.
    """
    import gensim_envs
    from agents.evaluation.rollout import Setting

    envs, mode = so_far[0].envs, so_far[0].obs_mode
    bounds = so_far[0].state_bounds or (gensim_envs.common_bounds(envs) if mode == "state" else {})
    jobs: list[tuple[Path, Setting, range, float]] = []
    for env in envs:
        setting = Setting(env, obs_mode=mode, bounds=tuple(sorted(bounds.items())))
        first = 1 + max(seed for part in so_far for seed in part.seeds(env))
        stop = first + episodes
        jobs += [
            (folder, setting, range(k, min(k + _CHUNK, stop)), share)
            for k in range(first, stop, _CHUNK)
        ]
    with processes(min(workers or cores(), len(jobs))) as executor:
        results = list(in_order(executor, _labelled, jobs))
    visited = Demos.joined([demos for demos, _ in results])
    unlabelled = sum(count for _, count in results)
    _print(f"{len(visited)} states labelled; the oracle cannot solve {unlabelled} others")
    if not len(visited):
        raise AgentsError("the oracle can solve none of the states that the policy visits")
    return visited


def _labelled(
    folder: Path, setting: Setting, seeds: Sequence[int], share: float
) -> tuple[Demos, int]:
    """Play some seeds, in a worker process; returns also the number of states without a label."""
    from agents.evaluation.rollout import Refused, play

    policy, env = LearnedPolicy.from_pretrained(folder), setting.make()
    demos = Demos(policy.obs_mode, *policy.spec.bounds, policy.spec.state_bounds)
    unlabelled = 0
    try:
        for seed in seeds:
            labeller = _Labeller(policy, setting.env, share)
            try:
                deque(play(env, labeller, seed), maxlen=0)
            except Refused:
                continue  # no draw of this seed fits the table
            unlabelled += labeller.unlabelled
            if labeller.samples:
                demos.add_episode(setting.env, seed, labeller.samples)
    finally:
        env.close()
    return demos, unlabelled


class _Labeller(Policy):
    """Acts as a policy, or with some probability as the oracle, whose actions it records."""

    def __init__(self, policy: LearnedPolicy, env: str, share: float) -> None:
        self.samples: list[Sample] = []
        self.unlabelled = 0
        self._policy, self._env, self._share = policy, env, share

    def reset(self, env: gym.Env[Any, Any], rng: np.random.Generator) -> None:
        """See `Policy`."""
        import gensim_envs

        self._policy.reset(env, rng)
        self._oracle, self._rng = gensim_envs.Oracle(env), rng

    def act(self, observation: Any, instruction: str) -> NDArray[np.float32]:
        """See `Policy`."""
        import gensim_envs

        oracle_acts = self._rng.random() < self._share
        own = self._policy.act(observation, instruction)
        try:
            label = np.asarray(self._oracle.act(), np.float32)
        except gensim_envs.OracleError:
            self.unlabelled += 1
            return own
        parts = {"state": observation} if self._policy.obs_mode == "state" else observation
        sample = Sample(
            env=self._env, episode=0, step=len(self.samples), instruction=instruction,
            action=label, **parts,
        )  # fmt: skip
        self.samples.append(sample)
        return label if oracle_acts else own
