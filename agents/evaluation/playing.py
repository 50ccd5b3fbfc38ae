"""Run one evaluation episode: policy source, setting and outcome."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import find_highest_version, parse_env_id

import gensim_envs
from agents.errors import AgentsError
from agents.policies.base import Policy
from agents.policies.registry import scripted_policy
from gensim_envs.errors import GensimError, PerturbationError, TaskError

MAKE_ERRORS = (
    gym.error.Error, GensimError, ImportError, TypeError, ValueError, RuntimeError
)  # fmt: skip
"""Errors of `gym.make` and the registry for an unknown id or option."""


def of_suite(env: str) -> bool:
    """Whether an id is registered as a task of this suite, which takes options of its own."""
    spec = gym.registry.get(env)
    return spec is not None and str(spec.entry_point).startswith("gensim_envs.")


def canonical(env: str) -> str:
    """The id under which a task of this suite is registered, for any id that `gym.make` takes.

    `gym.make` also takes ids without a version and ids after the name of a module. Those of other
    envs are returned as they are.
    """
    name = env.rpartition(":")[2]
    with suppress(gym.error.Error):
        namespace, task, version = parse_env_id(name)
        if version is None:
            name = f"{name}-v{find_highest_version(namespace, task)}"
    return name if of_suite(name) else env


def check_actions(what: str, actions: gym.Space[Any]) -> None:
    """Check that policies can act in a space.

    Args:
        what: name of the env, for messages.
        actions: its action space.

    Raises:
        AgentsError: if the actions are not six bounded numbers.
    """
    box = isinstance(actions, gym.spaces.Box) and actions.is_bounded()
    if not box or actions.shape != (6,):
        raise AgentsError(f"{what} has actions {actions}; policies give six bounded numbers")


def check_registered(envs: Iterable[str], source: str) -> None:
    """Check ids that a file names. `gym.make("module:Env-v0")` would import a stranger's module.

    Args:
        envs: ids.
        source: what names them, for the message: "the checkpoint".

    Raises:
        AgentsError: if one is not registered.
    """
    for env in envs:
        if env not in gym.registry:
            raise AgentsError(
                f"{source} names {env!r:.80}, which is not registered. Register its library with "
                "GENSIM_LIBRARY, or name the tasks yourself with --env"
            )


def load_policy(source: str | Path) -> Policy:
    """Load a policy: a trained one from the folder of its checkpoint, a scripted one by its name.

    Raises:
        AgentsError: if there is no such policy, or the checkpoint cannot be used.
    """
    if isinstance(source, str) and not Path(source).is_dir():
        return scripted_policy(source)
    from agents.policies.learned import LearnedPolicy  # scripted policies need no torch

    return LearnedPolicy.from_pretrained(source)


kept_policy = functools.lru_cache(1)(load_policy)
"""Loads a policy and keeps it in this process for the next episode."""


@dataclass(frozen=True, eq=False)
class Setting:
    """The environment and conditions of an evaluation.

    Attributes:
        env: id. The other attributes apply to envs of this suite; others are made as they are.
        split: "train" for the colours of training, "test" for others.
        perturb: the value of `reset(options={"perturb": ...})`.
        obs_mode: of the env.
        bounds: items to which the state vector is padded; empty for those of the env.
        privileged: whether the state vector also says what the current goal means.
    """

    env: str
    split: str = "train"
    perturb: Mapping[str, Any] = field(default_factory=dict)
    obs_mode: str = "rgbd"
    bounds: Mapping[str, int] = field(default_factory=dict)
    privileged: bool = False

    @property
    def options(self) -> dict[str, Any]:
        """The options of each reset."""
        return {"perturb": self.perturb} if of_suite(self.env) else {}

    def make(self, **more: Any) -> gym.Env[Any, Any]:
        """Make the env, with further options.

        Raises:
            AgentsError: if there is no such env, or it does not take these options.
        """
        options = more
        if of_suite(self.env):
            options = {"obs_mode": self.obs_mode, "split": self.split, **more}
            if options["obs_mode"] == "state":
                options["privileged"] = self.privileged
                if self.bounds:
                    options["bounds"] = self.bounds
        try:
            return gym.make(self.env, **options)
        except gym.error.UnregisteredEnv as error:
            raise AgentsError(f"{error} `gensim list` shows the ids") from error
        except MAKE_ERRORS as error:
            raise AgentsError(f"{self.env} cannot be made with {options}: {error}") from error


@dataclass(frozen=True)
class Outcome:
    """The outcome of one episode.

    Attributes:
        seed: of its reset.
        success: whether it was solved.
        episode_return: sum of its rewards.
        steps: number of actions.
        refused: why the env could not be reset with this seed and perturbation; None if it could.
    """

    seed: int
    success: bool
    episode_return: float
    steps: int
    refused: str | None = None


def episode_rng(seed: int) -> np.random.Generator:
    """The generator of a policy in the episode of a seed."""
    return np.random.default_rng([seed, *b"agent"])


def play(
    env: gym.Env[Any, Any], policy: Policy, seed: int, options: Mapping[str, Any] | None = None
) -> Iterator[gensim_envs.Transition]:
    """Play one episode, a transition at a time.

    Args:
        env: what is played; it is reset here. An env that is not of this suite may have infos with
            `instruction`, and `success` or `is_success`.
        policy: that acts.
        seed: determines the episode and what the policy draws.
        options: of the reset.
    """

    def start(observation: Any, info: Mapping[str, Any]) -> None:
        policy.reset(env, episode_rng(seed))

    def act(observation: Any, info: Mapping[str, Any]) -> Any:
        return policy.act(observation, info.get("instruction", ""))

    return gensim_envs.transitions(env, act, seed=seed, options=options, start=start)


def outcome(
    env: gym.Env[Any, Any], policy: Policy, seed: int, options: Mapping[str, Any] | None = None
) -> Outcome:
    """Play one episode to its end; the arguments are those of `play`.

    It is refused if the perturbation does not fit this seed, or no draw of it fits the table.
    """
    steps: list[gensim_envs.Transition] = []
    try:
        steps.extend(play(env, policy, seed, options))
    except (PerturbationError, TaskError) as error:
        if steps or (isinstance(error, TaskError) and not error.redraw):
            raise
        return Outcome(seed, False, 0.0, 0, str(error))
    return Outcome(seed, steps[-1].success, sum(step.reward for step in steps), len(steps))
