"""`python -m agents train`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from inspect import Parameter, Signature
from pathlib import Path
from typing import Annotated, Any

import tyro
from tyro.conf import arg

from agents.errors import AgentsError
from agents.policies.learned import policy_class
from agents.policies.registry import POLICIES
from agents.suites import task_list
from agents.training import dagger as dagger_training
from agents.training import loop
from agents.training.config import TrainConfig, default_policy_config
from agents.training.dagger import DaggerConfig
from agents.training.inputs import (
    check_machine,
    check_source,
    demonstrations,
    task_ids,
    validation,
)
from gensim_envs.utils.cli import DependentCommand

DEMOS = 100
"""Demonstrations of each task, if they are made and their number is not given."""

Tasks = Annotated[str | None, arg(help="a list of tasks in suites.json", metavar="NAME")]


def _build(arguments: Sequence[str]) -> Callable[..., None]:
    """The command with the options of the policy that the arguments name."""
    policy = _find(arguments, "--policy", TrainConfig.policy)
    reinforcement = POLICIES["reinforcement"]
    known = [*POLICIES["imitation"], "dagger", *reinforcement]
    if policy not in known:
        raise AgentsError(f"unknown policy {policy!r:.60}; choose one of {', '.join(known)}")
    trained, options = policy, []
    if policy in reinforcement:
        from agents.training.rl import RLConfig

        options.append(_option("config", RLConfig))
    else:
        if policy == "dagger":
            trained = _find(arguments, "--dagger.policy", DaggerConfig.policy)
            options.append(_option("dagger", DaggerConfig, DaggerConfig(trained), "dagger"))
        given = {"policy": policy, "out": tyro.MISSING, **policy_class(trained).train_defaults}
        options.append(_option("config", TrainConfig, TrainConfig(**given)))
    start_from = _find(arguments, "--start-from", "")
    hyperparameters = default_policy_config(trained, Path(start_from) if start_from else None)
    options.append(_option("hyperparameters", type(hyperparameters), hyperparameters, trained))
    tasks = Parameter("tasks", Parameter.KEYWORD_ONLY, default=None, annotation=Tasks)

    def built(*, config: Any, tasks: str | None, **values: Any) -> None:
        envs = (*config.envs, *(task_list(tasks) if tasks else ()))
        config = replace(config, envs=task_ids(envs))
        if policy in reinforcement:
            from agents.training import rl

            rl.train(config, **values)
            return
        check_source(config)
        if not config.data:
            config = replace(config, demos=config.demos or DEMOS)
        run = dagger_training.train if policy == "dagger" else _train
        run(config, **values)

    built.__doc__ = (
        "Train a policy, or resume its training. --policy NAME --help shows the options of another "
        f"policy: {', '.join(known)}."
    )
    built.__annotations__ = {each.name: each.annotation for each in [*options, tasks]}
    built.__signature__ = Signature([*options, tasks])  # type: ignore[attr-defined]
    return built


train = DependentCommand(_build)
"""The command; its options depend on the policy."""


def _find(arguments: Sequence[str], flag: str, default: str) -> str:
    """The value of an option, before all options are known."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    other = f"--{flag[2:].replace('-', '_')}"  # tyro reads both
    parser.add_argument(flag, other, dest="found", nargs="?", const="", default=default)
    return str(parser.parse_known_args(arguments)[0].found)


def _option(name: str, cls: type, default: Any = Parameter.empty, prefix: str = "") -> Parameter:
    """A parameter for a dataclass whose options have a prefix."""
    return Parameter(
        name, Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[cls, arg(name=prefix)]
    )


def _train(config: TrainConfig, hyperparameters: Any) -> None:
    """Train on demonstrations that are there, or are made first."""
    if loop.is_finished(config, hyperparameters):
        return
    make = partial(demonstrations, config, policy_class(config.policy).obs_mode)
    demos = make() if config.data else None
    validate = validation(config, config.envs or (demos.envs if demos is not None else ()))
    check_machine(config, hyperparameters, demos, validates=validate is not None)
    loop.train(config, make if demos is None else demos, hyperparameters, validate=validate)
