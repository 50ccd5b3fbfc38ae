"""DAgger: the policy acts, the oracle labels the states it visits, and the policy learns from them.

Ross, Gordon and Bagnell, "A Reduction of Imitation Learning and Structured Prediction to No-Regret
Online Learning", 2011, arXiv 1011.0686, algorithm 3.1. Round 0 is behaviour cloning. Each later
round plays new training seeds, labels every state it visits, and trains from scratch on all
demonstrations so far. The policy with the best validation is kept.

    DIR/demos/       the first demonstrations, unless they are read from elsewhere
    DIR/demos-K/     the states of round K, a Minari dataset for each task
    DIR/round-K/     its training run
    DIR/config.json, DIR/model.safetensors   the checkpoint
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from agents import checkpoint
from agents.data.demonstrations import Demonstrations
from agents.errors import AgentsError
from agents.policies.learned import policy_class
from agents.policies.registry import POLICIES
from agents.ranges import Checked, Positive, Share
from agents.training import inputs, loop
from agents.training.config import TrainConfig, describe
from agents.training.distributed import check_alone
from gensim_envs.utils import files

if TYPE_CHECKING:
    import gymnasium as gym

    from gensim_envs.datasets import Respond


@dataclass(frozen=True)
class DaggerConfig(Checked):
    """Options of DAgger in addition to those of training."""

    option_prefix = "dagger."

    policy: str = "bc_state"
    """The policy to train, whose options have its name as prefix."""
    rounds: Positive = 4
    """Rounds after behaviour cloning."""
    episodes: Positive = 25
    """Episodes of each task in a round."""
    beta: Share = 0.0
    """In round k the oracle acts in a share beta ** k of the steps, the policy in the others."""

    def __post_init__(self) -> None:
        super().__post_init__()
        known = POLICIES["imitation"]
        if self.policy not in known:
            raise AgentsError(f"DAgger trains {', '.join(known)}, not {self.policy!r:.60}")


def train(config: TrainConfig, dagger: DaggerConfig, hyperparameters: Any) -> Path:
    """Run all rounds, or resume them.

    Args:
        config: of the run; its steps are those of each round.
        dagger: of the rounds.
        hyperparameters: of the policy.

    Returns:
        The folder of the run, `config.out`.

    Raises:
        AgentsError: as `agents.training.loop.train`, or the simulator is missing.
    """
    inputs.require_simulator("label states")
    check_alone("dagger")
    inner = replace(config, policy=dagger.policy, overwrite=False)
    described = describe(inner, hyperparameters)
    described["training"] |= {"policy": "dagger", "dagger": asdict(dagger)}
    inputs.check_machine(
        inner, hyperparameters, None, validates=True
    )  # it is played between rounds
    with checkpoint.locked(config.out):
        found = checkpoint.find_run(config.out, config.overwrite, described)
        if checkpoint.is_finished(config.out, found):
            return config.out
        if found is None and not config.overwrite and (left := _parts(config.out)):
            raise AgentsError(
                f"{left[0]} is of another run; choose another --out, or --overwrite it"
            )
        # A run that resumes reads them again: what was recorded is kept, other files may change.
        demos = inputs.demonstrations(config, policy_class(inner.policy).obs_mode)
        first = inputs.select_demos(inner, demos)
        _check_oracle(first, dagger.policy, config.envs)
        described["training"]["dataset"] = first.sha256()
        if checkpoint.find_run(config.out, config.overwrite, described) is None:
            checkpoint.clear(config.out)
            for path in _parts(config.out):
                files.remove(path)
            described["training"]["finished"] = False
            checkpoint.save_json(config.out / checkpoint.CONFIG, described)
        parts = [first]
        for number in range(dagger.rounds + 1):
            if number:
                parts.append(_visited(config, number, parts, dagger))
            demos, round_ = Demonstrations.joined(parts), config.out / f"round-{number}"
            _print(f"round {number} of {dagger.rounds}: {len(demos)} labelled steps")
            loop.train(
                replace(inner, out=round_, demos=None), demos, hyperparameters,
                validate=inputs.validation(config, first.envs),
            )  # fmt: skip
        _keep_best(config.out, dagger, described)
    return config.out


def _parts(out: Path) -> list[Path]:
    """The files and folders of rounds in a folder."""
    return sorted([*out.glob("demos-[0-9]*"), *out.glob("round-[0-9]*")])


def _check_oracle(demos: Demonstrations, policy: str, asked: Sequence[str]) -> None:
    """Check that the oracle can label states of each task.

    Args:
        demos: what names the tasks.
        policy: the policy to train, for the message.
        asked: tasks that the user names, which need not be registered yet.

    Raises:
        AgentsError: if one cannot be made, or is not of this suite.
    """
    import gensim_envs
    from agents.evaluation.playing import Setting, check_registered

    named = dict(zip(inputs.plain_ids(asked), asked, strict=True))
    check_registered([env for env in demos.envs if env not in named], "a dataset")
    for env_id in demos.envs:
        with closing(Setting(named.get(env_id, env_id), obs_mode=demos.obs_mode).make()) as env:
            try:
                gensim_envs.Oracle(env)
            except TypeError as error:
                raise AgentsError(
                    f"{env_id} has no oracle: {error}. Train it with --policy {policy}"
                ) from error


def _keep_best(out: Path, dagger: DaggerConfig, described: Mapping[str, Any]) -> None:
    """Put the policy with the best validation, or else the last one, into the run's folder."""
    rounds = [out / f"round-{k}" for k in range(dagger.rounds + 1)]
    success = [checkpoint.load_info(each / checkpoint.MODEL).get("success", 0) for each in rounds]
    best = max(range(len(rounds)), key=lambda k: (success[k], k))
    weights, info = checkpoint.load_tensors(rounds[best] / checkpoint.MODEL)
    checkpoint.save_tensors(out / checkpoint.MODEL, weights, info)
    configs = [checkpoint.load_json(each / checkpoint.CONFIG) for each in rounds]
    trained, seconds = configs[best], sum(each["training"]["seconds"] for each in configs)
    progress = {"finished": True, "round": best, "seconds": seconds}
    trained["training"] |= described["training"] | progress
    checkpoint.save_json(out / checkpoint.CONFIG, trained)
    validation = f", validation success {info['success']:.0%}" if "success" in info else ""
    _print(f"kept the policy of round {best}{validation}; it is in {out}")


def _print(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


# -------------------------------------------------------------------------------- visited states


def _visited(
    config: TrainConfig, number: int, parts: Sequence[Demonstrations], dagger: DaggerConfig
) -> Demonstrations:
    """The states that the policy of the last round visits on new seeds, labelled by the oracle.

    Their episodes are randomised as the config says. No action is disturbed: the policy makes
    errors of its own.

    Raises:
        DatasetError: if the oracle knows no action in most of them.
    """
    import gensim_envs
    from gensim_envs.datasets import record

    first, bounds = parts[0], None
    if first.obs_mode == "state":
        bounds = first.state_bounds or gensim_envs.common_bounds(first.envs)
    seed = 1 + max(seed for part in parts for env in first.envs for seed in part.seeds(env))
    behaviour = _Mixture(config.out / f"round-{number - 1}", dagger.beta**number)
    summaries = record(
        first.envs, dagger.episodes, seed, config.out / f"demos-{number}", obs_mode=first.obs_mode,
        bounds=bounds, perturb=config.perturb, behaviour=behaviour, workers=config.workers,
    )  # fmt: skip
    visited = Demonstrations.load(*(summary.path for summary in summaries))
    unlabelled = sum(summary.steps for summary in summaries) - len(visited)
    _print(f"{len(visited)} states labelled; the oracle knows no action in {unlabelled} others")
    return visited


@dataclass(frozen=True)
class _Mixture:
    """Acts as the policy of a checkpoint, or in a share of the steps as the oracle.

    Attributes:
        folder: of the checkpoint.
        share: probability that the oracle acts, where it knows an action.
    """

    name: ClassVar[str] = "dagger"

    folder: Path
    share: float

    def __call__(self, env: gym.Env[Any, Any], seed: int) -> Respond:
        """Begin an episode."""
        from agents.evaluation.playing import episode_rng, kept_policy

        policy, rng = kept_policy(self.folder), episode_rng(seed)
        policy.reset(env, rng)

        def respond(observation: Any, info: dict[str, Any], label: Any) -> Any:
            oracle_acts = rng.random() < self.share
            own = policy.act(observation, info["instruction"])
            return label if oracle_acts and label is not None else own

        return respond
