"""`python -m agents train`: from the command line to a trained policy.

What is imported here at the top needs no simulator, so that an exported dataset trains anywhere.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from agents import options as fields
from agents.data.demonstrations import Demonstrations, minari_folders
from agents.errors import AgentsError
from agents.policies.base import REINFORCED, imitators, learner_class
from agents.training import loop as training
from agents.training import runs
from agents.training.loop import Config, Validate

DEMOS = 100
"""Demonstrations of each task, where they are made and not counted."""
SIMULATOR = ("gensim_envs", "gymnasium", "pybullet")


class Source:
    """Where demonstrations come from, and what measures success, as the command line says.

    Args:
        given: the command line.
        config: of the run.

    Attributes:
        workers: processes that play; None for one on each core.
        reads: whether demonstrations are read, not made.

    Raises:
        AgentsError: fewer than 1 process would play, or several would make demonstrations.
    """

    def __init__(self, given: argparse.Namespace, config: Config) -> None:
        if given.workers is not None and given.workers < 1:
            raise AgentsError(f"{given.workers} workers are asked for; use 1 or more")
        if int(os.environ.get("WORLD_SIZE", 1)) > 1 and given.data is None:
            raise AgentsError(
                "several processes train on recorded demonstrations: make them with `python -m "
                "agents export`, and name their folder with --data"
            )
        self.workers: int | None = given.workers
        self.reads: bool = given.data is not None or bool(given.minari)
        self._given, self._config = given, config

    def demos(self, obs_mode: str) -> Demonstrations:
        """The demonstrations: read, or made by the oracle.

        Raises:
            AgentsError: there are none, and none can be made.
        """
        given, config = self._given, self._config
        if given.data is not None:
            return Demonstrations.load(given.data)
        if given.minari:
            folders = minari_folders(given.minari, given.minari_root)
            return Demonstrations.load(*folders, episodes=config.demos)
        self.need_simulator("make demonstrations; name datasets with --data")
        from agents.data.collect import collect

        assert config.demos is not None
        folder = config.out / "demos"
        if config.overwrite:
            shutil.rmtree(folder, ignore_errors=True)
        return collect(
            config.envs, config.demos, folder, obs_mode=obs_mode, workers=self.workers,
            perturb=config.perturb,
        )  # fmt: skip

    def need_simulator(self, to: str) -> None:
        """Checks that there is a simulator.

        Raises:
            AgentsError: there is none, so that one cannot do what `to` says.
        """
        if _missing():
            raise AgentsError(f"{', '.join(_missing())} not installed here: one cannot {to}")

    def validate(self, envs: Sequence[str]) -> Validate | None:
        """What measures success on tasks; None where there is no simulator or it is not asked for.

        Raises:
            AgentsError: the simulator does not know a task.
        """
        config = self._config
        if not config.validate_every or _missing():
            return None
        import gymnasium as gym

        from agents.evaluation.evaluate import evaluate
        from agents.evaluation.rollout import Player
        from gensim_envs.seeds import VALIDATION

        for env in envs:
            if env not in gym.registry:
                raise AgentsError(
                    f"{env} is not registered here, so success cannot be measured on it; give "
                    "--validate-every 0, or register its library with GENSIM_LIBRARY"
                )
        seeds = list(VALIDATION[: config.validation_episodes])

        def validate(folder: Path) -> float:
            report = evaluate(Player(checkpoint=folder), envs, seeds=seeds, workers=self.workers)
            return float(report["success"])

        return validate


def _missing() -> list[str]:
    return [name for name in SIMULATOR if importlib.util.find_spec(name) is None]


# ----------------------------------------------------------------------------------- the command


def add_parser(commands: Any, arguments: Sequence[str]) -> None:
    """Adds the command.

    Args:
        commands: to what.
        arguments: that follow it, where the agent is looked up whose options are added.
    """
    text = "Train an agent, or go on with a run that was broken off."
    more = f"--agent NAME --help shows the options of another agent: {', '.join(_agents())}."
    parser = commands.add_parser("train", help=text, description=text, epilog=more)
    parser.set_defaults(run=run)
    agent = _named(arguments, "--agent", Config.agent)
    if agent not in _agents():
        raise AgentsError(f"no agent is called {agent!r:.60}; there are {', '.join(_agents())}")
    groups = _groups(agent, arguments)
    parser.set_defaults(groups=groups)
    parser.add_argument("--env", nargs="+", action="extend", default=[], metavar="ID",
                        help="tasks, drawn evenly; else all of the dataset's")  # fmt: skip
    parser.add_argument("--tasks", metavar="NAME", help="a list of tasks in suites.json")
    if agent not in REINFORCED:
        data = parser.add_mutually_exclusive_group()
        data.add_argument("--data", type=Path, metavar="DIR",
                          help="datasets that `python -m agents export` wrote")  # fmt: skip
        data.add_argument("--minari", nargs="+", metavar="DATASET", help="Minari datasets")
        parser.add_argument("--minari-root", type=Path, metavar="DIR", help="where they are")
        parser.add_argument("--workers", type=int, metavar="N",
                            help="processes that play; one on each core")  # fmt: skip
    cls = _config_class(agent)
    fields.add_options(parser, cls, leave_out=("envs",), defaults=learner_class(groups[-1]).run)
    for group in groups:
        fields.add_options(parser, _options(group), group)


def _agents() -> list[str]:
    return [*imitators(), "dagger", *REINFORCED]


def _named(arguments: Sequence[str], flag: str, default: str) -> str:
    """What an option of a command line says, before all its options are known."""
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    parser.add_argument(flag, dest="name", default=default)
    try:
        return str(parser.parse_known_args(arguments)[0].name)
    except argparse.ArgumentError:
        return default  # the whole parser will say what is wrong


def _groups(agent: str, arguments: Sequence[str]) -> tuple[str, ...]:
    """Whose options a command line takes: DAgger's are also those of what it trains."""
    if agent != "dagger":
        return (agent,)
    from agents.training import dagger

    return agent, _named(arguments, "--dagger.learner", dagger.Options.learner)


def _options(agent: str) -> type:
    """The dataclass of an agent's options."""
    if agent == "dagger":
        from agents.training import dagger

        return dagger.Options
    return learner_class(agent).Config


def _config_class(agent: str) -> type:
    """The dataclass of a run."""
    if agent in REINFORCED:
        from agents.training import rl

        return rl.Run
    return Config


def run(given: argparse.Namespace) -> int:
    """Trains; returns the exit code."""
    agent = getattr(given, "agent", Config.agent)
    envs = list(given.env)
    if given.tasks is not None:
        from agents.benchmark.suites import task_list

        envs += task_list(given.tasks)
    cls = _config_class(agent)
    config = cls(
        **{"agent": agent, **learner_class(given.groups[-1]).run, **fields.given(given, cls)},
        envs=tuple(dict.fromkeys(envs)),
    )
    settings = {group: fields.given(given, _options(group), group) for group in given.groups}
    if agent in REINFORCED:
        from agents.training import rl

        rl.train(config, settings[agent])
        return 0
    if given.data is None and not given.minari:
        if not envs:
            raise AgentsError("name tasks with --env or --tasks, or a dataset with --data")
        config = replace(config, demos=config.demos or DEMOS)
    elif config.perturb:
        raise AgentsError(
            "--perturb is for demonstrations that are made here, and these are read; make such "
            "with `python -m agents export --perturb`, and name their folder with --data"
        )
    source = Source(given, config)
    if agent == "dagger":
        from agents.training import dagger

        dagger.train(config, settings, source)
    else:
        _imitate(config, settings[agent], source)
    return 0


def _imitate(config: Config, settings: Mapping[str, Any], source: Source) -> None:
    if training.check(config, settings):
        print(f"{config.out} is finished; --overwrite trains it anew")
        return
    make = partial(source.demos, learner_class(config.agent).obs_mode)
    demos = make() if source.reads else None
    validate = source.validate(config.envs or (demos.envs if demos is not None else ()))
    runs.check_machine(config, settings, demos, validates=validate is not None)
    training.train(config, make if demos is None else demos, settings, validate=validate)
