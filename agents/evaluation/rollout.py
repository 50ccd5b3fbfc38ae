"""Agents in environments: who plays, what is played, and one episode."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

import gensim_envs
from agents.errors import AgentsError

if TYPE_CHECKING:
    from agents.policies.base import Agent

BASELINES = {
    "oracle": "agents.policies.oracle",
    "random": "agents.policies.random_policy",
    "nothing": "agents.policies.nothing",
}
"""Agents that need no training, and the modules of their `Agent` classes."""
MAKE_ERRORS = (
    gym.error.Error, gensim_envs.LibraryError, gensim_envs.TaskError, ImportError, TypeError,
    ValueError, RuntimeError,
)  # fmt: skip
"""What `gym.make` and the registry raise for an id or option that is not allowed."""


def of_suite(env: str) -> bool:
    """Whether an id is registered as a task of this suite, which takes options of its own."""
    spec = gym.registry.get(env)
    return spec is not None and str(spec.entry_point).startswith("gensim_envs.")


class Refused(Exception):
    """An env cannot be reset to a seed and perturbation, for the reason that it gives."""


@dataclass(frozen=True)
class Player:
    """Who plays, in words that can be sent to another process.

    Attributes:
        name: of a baseline; "" for the agent of a checkpoint.
        checkpoint: its folder; None for a baseline.
    """

    name: str = ""
    checkpoint: Path | None = None

    def load(self) -> Agent:
        """The agent itself.

        Raises:
            AgentsError: where there is none of that name, or its checkpoint cannot be used.
        """
        if self.checkpoint is not None:
            # Here, because baselines need no torch.
            from agents.policies.base import load_agent

            return load_agent(self.checkpoint)
        if self.name not in BASELINES:
            raise AgentsError(
                f"there is no agent {self.name!r} that plays untrained; there are "
                f"{', '.join(BASELINES)}. Give the folder of a trained one as --checkpoint"
            )
        agent: Agent = importlib.import_module(BASELINES[self.name]).Agent()
        return agent


@dataclass(frozen=True)
class Row:
    """One row of a report: what is played.

    Attributes:
        env: id. What follows is for envs of this suite: others are made as they are.
        split: "train" for the colours seen in training, "test" for unseen ones.
        perturb: pairs of `reset(options={"perturb": ...})`.
        obs_mode: of the env.
        bounds: pairs to which the state is padded; empty for the env's own.
    """

    env: str
    split: str
    perturb: tuple[tuple[str, Any], ...]
    obs_mode: str
    bounds: tuple[tuple[str, int], ...]

    @property
    def options(self) -> dict[str, Any]:
        """Of each reset."""
        return {"perturb": dict(self.perturb)} if of_suite(self.env) else {}

    def make(self, **more: Any) -> gym.Env[Any, Any]:
        """The env, with further options.

        Raises:
            AgentsError: where there is no such env, or it does not take these options.
        """
        options = more
        if of_suite(self.env):
            options = {"obs_mode": self.obs_mode, "split": self.split, **more}
            if self.bounds and options["obs_mode"] == "state":
                options["bounds"] = dict(self.bounds)
        try:
            return gym.make(self.env, **options)
        except gym.error.UnregisteredEnv as error:
            raise AgentsError(f"{error} `gensim list` shows the ids there are") from error
        except MAKE_ERRORS as error:
            raise AgentsError(f"{self.env} cannot be made with {options}: {error}") from error


@dataclass(frozen=True)
class Outcome:
    """How one episode went.

    Attributes:
        seed: of its reset.
        success: whether it was solved.
        earned: sum of its rewards.
        steps: how many actions it took.
        refused: why the env could not be reset to this seed and perturbation; None where it was.
    """

    seed: int
    success: bool
    earned: float
    steps: int
    refused: str | None = None


@dataclass(frozen=True, eq=False)
class Step:
    """One action and what came of it.

    Attributes:
        observation: on which the agent acted.
        instruction: that it was given.
        action: (6,) as the agent chose it.
        reward: that it earned.
        success: whether the task is solved now.
    """

    observation: Any
    instruction: str
    action: NDArray[np.float32]
    reward: float
    success: bool


def episode(
    env: gym.Env[Any, Any], agent: Agent, seed: int, options: Mapping[str, Any] | None = None
) -> Iterator[Step]:
    """Play one episode, step by step; the instruction is given anew at each.

    Of an env that is not of this suite, infos may say `instruction`, and `success` or `is_success`.

    Args:
        env: what is played; it is reset here, by the time the first step is asked for.
        agent: who plays.
        seed: fixes the episode and whatever the agent draws.
        options: of the reset.

    Raises:
        Refused: where the env cannot be reset so.
    """
    try:
        observation, info = env.reset(seed=seed, options=None if options is None else dict(options))
    except (gensim_envs.TaskError, ValueError) as error:
        raise Refused(str(error)) from error
    agent.begin(env, np.random.default_rng([seed, *b"agent"]))
    over = False
    while not over:
        instruction = info.get("instruction", "")
        action = agent.act(observation, instruction)
        seen = observation
        observation, reward, terminated, truncated, info = env.step(action)
        over = terminated or truncated
        success = bool(info.get("success", info.get("is_success", False)))
        yield Step(seen, instruction, action, float(reward), success)


def outcome(
    env: gym.Env[Any, Any], agent: Agent, seed: int, options: Mapping[str, Any] | None = None
) -> Outcome:
    """Play one episode to its end; the arguments are those of `episode`."""
    try:
        steps = [(step.success, step.reward) for step in episode(env, agent, seed, options)]
    except Refused as error:
        return Outcome(seed, False, 0.0, 0, str(error))
    success, _ = steps[-1]
    return Outcome(seed, success, sum(reward for _, reward in steps), len(steps))
