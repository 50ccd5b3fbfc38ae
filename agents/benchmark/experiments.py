"""Train and evaluate one experiment of a benchmark."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from agents import checkpoint
from agents.errors import AgentsError
from agents.evaluation import results
from agents.evaluation.evaluate import evaluate
from agents.policies.learned import policy_class
from agents.policies.registry import POLICIES
from agents.suites import Condition, Experiment, Suite
from agents.training.dagger import DaggerConfig
from agents.training.train import train
from gensim_envs.errors import GensimError
from gensim_envs.seeds import TEST
from gensim_envs.utils import cli

_DESCRIBED = (
    "name", "kind", "policy", "envs", "pool", "demos", "start", "group", "options", "seed",
    "variant", "pool_demos",
)  # fmt: skip
_RECORDING = ("perturb", "disturb")  # options that apply when demonstrations are recorded
EXPERIMENT, LOG = "experiment.json", "log.txt"


@dataclass(frozen=True)
class RunExperiment:
    """Trains and evaluates a policy and writes experiment.json; resumes if it was interrupted.

    Attributes:
        experiment: to run.
        suite: that it belongs to.
        episodes: of each task and condition.
        demos: folder of the datasets to train on; None if it needs none.
        out: folder of the benchmark, absolute.
    """

    experiment: Experiment
    suite: Suite
    episodes: int
    demos: Path | None
    out: Path

    @property
    def folder(self) -> Path:
        """The folder of the experiment."""
        return self.out / "experiments" / self.experiment.name

    @property
    def checkpoint(self) -> Path | None:
        """The checkpoint that is evaluated; None for a policy that needs no training."""
        if self.experiment.policy in POLICIES["scripted"]:
            return None
        if self.experiment.kind == "zero-shot":
            return self._start
        return self.folder / "run"

    @property
    def _start(self) -> Path:
        return self.out / "experiments" / str(self.experiment.start) / "run"

    def result(self) -> dict[str, Any] | None:
        """The content of experiment.json, if the experiment is finished."""
        if not (self.folder / EXPERIMENT).exists():
            return None
        found = checkpoint.load_json(self.folder / EXPERIMENT)
        return found if found["episodes"] == self.episodes else None

    def __call__(self) -> None:
        """Do what is left to do."""
        command = self.command()
        seconds = _train(command, self.folder) if command else None
        evaluated, conditions = self._evaluate()
        each = self.experiment
        checkpoint.save_json(self.folder / EXPERIMENT, {
            **{name: getattr(each, name) for name in _DESCRIBED},
            "episodes": self.episodes,
            "commands": [self._shown(command)] if command else [],
            "seconds": {"train": seconds, "evaluate": evaluated},
            "machine": _machine(), "versions": results.versions(), "conditions": conditions,
        })  # fmt: skip

    def check_options(self) -> None:
        """Check the options of training, before demonstrations are recorded for it.

        Raises:
            AgentsError: naming one that the policy does not have.
        """
        # What it starts from need not exist yet, and has the same options.
        alone = replace(self.experiment, start=None)
        command = replace(self, experiment=alone).command() if self.command() else []
        try:
            if command:
                cli.parse(train, "python -m agents train", command)
        except GensimError as error:
            raise AgentsError(f"experiment {self.experiment.name!r}: {error}") from error

    def command(self) -> list[str]:
        """Arguments of `python -m agents train`; empty if nothing is trained."""
        each = self.experiment
        if self.checkpoint != self.folder / "run":
            return []
        options = {"policy": each.policy, "env": each.envs, "seed": each.seed,
                   **each.options, "out": self.folder / "run"}  # fmt: skip
        if each.policy not in POLICIES["reinforcement"]:  # which use one thread anyway
            options |= {"threads": self.suite.threads, "workers": 1}
        if each.demos is not None:
            options |= {"demos": each.demos, "data": self.demos}
            options = {name: each for name, each in options.items() if name not in _RECORDING}
        if each.start is not None:
            options["start-from"] = self._start
        return [part for name, value in options.items() for part in _flag(name, value)]

    def _shown(self, command: Sequence[str]) -> str:
        """A command in which the folder of the benchmark is DIR."""
        folder = f"{self.out}/"
        parts = (f"DIR/{p.removeprefix(folder)}" if p.startswith(folder) else p for p in command)
        return f"python -m agents train {shlex.join(parts)}"

    def _evaluate(self) -> tuple[float, dict[str, Any]]:
        """Seconds of evaluation, and the results under each condition.

        There is one report for each perturbation, which holds both splits.
        """
        seconds, all_conditions = 0.0, self.experiment.conditions
        found: dict[str, Any] = dict.fromkeys(each.name for each in all_conditions)
        for first in all_conditions:
            if found[first.name] is None:
                conditions = [each for each in all_conditions if each.perturb == first.perturb]
                made = self._report(conditions)
                seconds += made["seconds"]
                found |= {each.name: _of_split(made, each.split) for each in conditions}
        plain = {each.split: found[each.name] for each in all_conditions if not each.perturb}
        for each in all_conditions:
            compared = plain.get(each.split) if each.perturb else None
            found[each.name] = found[each.name] | {
                "results": [_without_episodes(r, compared) for r in found[each.name]["results"]]
            }
        return seconds, found

    def _report(self, conditions: Sequence[Condition]) -> dict[str, Any]:
        """The report of an evaluation under conditions with the same perturbation."""
        name = "-".join(condition.name.replace(" ", "_") for condition in conditions)
        path = self.folder / f"evaluation-{name}-{self.episodes}.json"
        if not path.exists():
            made = evaluate(
                self.checkpoint or self.experiment.policy, self.experiment.envs,
                seeds=list(TEST[: self.episodes]),
                splits=[condition.split for condition in conditions],
                perturb=conditions[0].perturb, workers=1,
            )  # fmt: skip
            results.write(path, made)
        return checkpoint.load_json(path)


def _of_split(made: dict[str, Any], split: str) -> dict[str, Any]:
    """The results of a report for one split."""
    results, left_out = (
        [each for each in made[key] if each["split"] == split] for key in ("results", "left_out")
    )
    return {
        "seeds": [made["seeds"][0], made["seeds"][-1]],
        "results": results,
        "left_out": left_out,
    }


def _without_episodes(result: dict[str, Any], plain: dict[str, Any] | None) -> dict[str, Any]:
    """A result without its single episodes, but compared with the same ones in `plain`.

    `paired` counts the episodes that were solved in both cases, in this one only (gained), in the
    plain one only (lost), and in neither. It is None if there is nothing to compare with.
    """
    short: dict[str, Any] = {k: v for k, v in result.items() if k != "outcomes"}
    solved = {
        each["seed"]: each["success"]
        for other in (plain["results"] if plain else ())
        if other["env"] == result["env"]
        for each in other["outcomes"]
    }
    pairs = [(solved.get(each["seed"]), each["success"]) for each in result["outcomes"]]
    paired = {
        name: pairs.count(pair)
        for name, pair in (
            ("both", (True, True)), ("gained", (False, True)),
            ("lost", (True, False)), ("neither", (False, False)),
        )
    }  # fmt: skip
    return short | {"paired": paired if any(paired.values()) else None}


def _flag(name: str, value: Any) -> list[str]:
    """The words of an option of a suite."""
    if isinstance(value, bool):
        group, _, field = f".{name}".rpartition(".")
        return [f"--{f'{group}.'.lstrip('.')}{'' if value else 'no-'}{field}"]
    many = value if isinstance(value, (list, tuple)) else [value]
    return [f"--{name}", *map(str, many)]


def _train(command: Sequence[str], folder: Path) -> float:
    """Train, and return the seconds that it took.

    Of interrupted attempts, the time until their last checkpoint counts: what came after is
    repeated.
    """
    path, before = folder / "attempt.json", 0.0
    if path.exists():
        earlier = checkpoint.load_json(path)
        saved = [each.stat().st_mtime for each in (folder / "run").rglob("*.safetensors")]
        before = earlier["before"] + max(0.0, max(saved, default=0.0) - earlier["began"])
    began = time.time()
    checkpoint.save_json(path, {"began": began, "before": before})
    cli.parse(train, "python -m agents train", command)()
    described = checkpoint.load_json(folder / "run" / checkpoint.CONFIG)
    # A finished run may have been copied here from a faster machine.
    elsewhere = float(described["training"].get("seconds", 0))
    return round(max(before + time.time() - began, elsewhere), 1)


def _machine() -> dict[str, Any]:
    import torch

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {**results.machine(), "gpu": gpu}


@dataclass(frozen=True)
class Recording:
    """How the demonstrations of an experiment are recorded.

    Attributes:
        trained_on: name of the list of tasks or of the only task.
        obs_mode: of the policy.
        options: for `collect`, where they differ from its defaults.
    """

    trained_on: str
    obs_mode: str
    options: tuple[tuple[str, Any], ...]

    def folder(self, demos: int) -> str:
        """The name of the folder of this many demonstrations."""
        special = [
            "-".join(value) if isinstance(value, tuple) else f"{name}{value}"
            for name, value in self.options
        ]
        return "-".join([self.trained_on, self.obs_mode, *special, str(demos)])


def recording_of(experiment: Experiment) -> Recording:
    """How the demonstrations of an experiment are recorded."""
    policy = experiment.policy
    if policy == "dagger":
        policy = experiment.options.get("dagger.policy", DaggerConfig.policy)
    options = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in experiment.options.items()
        if name in _RECORDING
    }
    return Recording(experiment.trained_on, policy_class(policy).obs_mode, tuple(options.items()))
