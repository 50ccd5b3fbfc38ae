"""Run and record single episodes; this module runs in worker processes.

Importing this loads no simulator, since the parent process needs none.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec
from numpy.typing import NDArray

from gensim_envs.errors import DatasetError
from gensim_envs.utils import files

Action = NDArray[np.float32]
Respond = Callable[[Any, dict[str, Any], Action | None], Any]
"""(observation, info, the oracle's action or None if it knows none) -> the action to execute."""

MOST_DISTRACTORS = 4

PERTURBATIONS: dict[str, Callable[[np.random.Generator], Any]] = {
    "colors": lambda rng: "train",
    "light": lambda rng: float(rng.uniform(0, 1)),
    "camera": lambda rng: float(rng.uniform(0, 0.02)),
    "distractors": lambda rng: int(rng.integers(0, MOST_DISTRACTORS, endpoint=True)),
}
"""Properties that can be randomised in each recorded episode: colours of the training split, any
light, cameras that are off by up to 2 cm, an estimate of a careless calibration, and up to
`MOST_DISTRACTORS` distractors."""

_INFOS = ("success", "progress", "instruction", "goals_left")


class Behaviour(Protocol):
    """Chooses the executed actions while the oracle labels the visited states, as in DAgger.

    Attributes:
        name: name of the algorithm; part of the dataset's id.
    """

    @property
    def name(self) -> str: ...

    def __call__(self, env: gym.Env[Any, Any], seed: int) -> Respond:
        """Begin an episode in an env that was just reset with a seed."""


@dataclass(frozen=True)
class Disturbed:
    """The oracle, some of whose actions go wrong, so that demonstrations show how to recover.

    A disturbed action puts the item down up to 6 cm off in x and in y and turned by any angle; one
    in three puts it anywhere on the table.

    Attributes:
        share: probability that an action is disturbed, 0..1.

    Raises:
        DatasetError: if `share` is no probability.
    """

    name: ClassVar[str] = "disturbed"

    share: float

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise DatasetError(f"the share of disturbed actions is {self.share}; expected 0 to 1")

    def __call__(self, env: gym.Env[Any, Any], seed: int) -> Respond:
        """Begin an episode."""
        rng = np.random.default_rng([seed, *b"disturb"])
        space = env.action_space
        assert isinstance(space, spaces.Box)

        def respond(observation: Any, info: dict[str, Any], label: Action | None) -> Any:
            drawn, far = rng.random(2)
            off, place = rng.uniform(-1, 1, 3), rng.random(3)
            if label is None:
                label = ((space.low + space.high) / 2).astype(np.float32)
            if drawn >= self.share:
                return label
            place = space.low[3:] + place * (space.high - space.low)[3:]
            near = label[3:] + off * (0.06, 0.06, math.pi)
            near[2] = (near[2] + math.pi) % math.tau - math.pi
            action = np.concatenate([label[:3], place if far < 1 / 3 else near])
            return np.clip(action, space.low, space.high).astype(np.float32)

        return respond


@dataclass(frozen=True)
class Run:
    """Everything that determines the episode of a seed.

    Attributes:
        spec: specification of the environment, with its options.
        program_sha256: SHA-256 of the task's program.
        suite_version: version of this package.
        seed: first seed.
        perturb: keys of `PERTURBATIONS` to draw for each episode, from its seed.
        state_bounds: capacity of the state vector by kind of row; empty for images.
        behaviour: chooses the executed actions; the oracle does if None.
    """

    spec: EnvSpec
    program_sha256: str
    suite_version: str
    seed: int
    perturb: tuple[str, ...] = ()
    state_bounds: tuple[tuple[str, int], ...] = ()
    behaviour: Behaviour | None = None

    @property
    def algorithm(self) -> str:
        """Name of the acting policy."""
        return "oracle" if self.behaviour is None else self.behaviour.name

    @property
    def dataset_id(self) -> str:
        """`gensim/BuildWheel/oracle-v0` for `gensim/BuildWheel-v0`."""
        namespace = f"{self.spec.namespace}/" if self.spec.namespace else ""
        return f"{namespace}{self.spec.name}/{self.algorithm}-v{self.spec.version or 0}"

    def to_json(self) -> dict[str, Any]:
        """Values that must be equal for episodes to go into one dataset."""
        return {
            "env_id": self.spec.id,
            "max_episode_steps": self.spec.max_episode_steps,
            "obs_mode": self.spec.kwargs["obs_mode"],
            "split": self.spec.kwargs["split"],
            "seed": self.seed,
            "perturb": list(self.perturb),
            "disturb": self.behaviour.share if isinstance(self.behaviour, Disturbed) else 0.0,
            "state_bounds": dict(self.state_bounds),
            "program_sha256": self.program_sha256,
            "suite_version": self.suite_version,
        }


def spaces_of(spec: EnvSpec) -> tuple[spaces.Space[Any], spaces.Space[Any]]:
    """The spaces of observations and of actions."""
    env = _env(spec)
    return env.observation_space, env.action_space


def play(run: Run, seed: int, part: Path) -> str | None:
    """Run one seed, and write the episode to `part` if it is solved.

    Returns:
        The reason why there is no episode, or None.

    Raises:
        FileError: if the file cannot be written.
        TaskError: if the program was stopped, perhaps for lack of time or memory on this machine.
    """
    from gensim_envs.datasets.hdf5 import pack
    from gensim_envs.errors import OracleError, PerturbationError, TaskError

    try:
        episode, reason = _episode(_env(run.spec), run, seed)
    except (OracleError, PerturbationError, TaskError) as error:
        if isinstance(error, TaskError) and error.cause == "runtime" and error.line is None:
            raise  # another machine might draw this seed: it must not be noted as a failed one
        return f"{type(error).__name__}: {error}"
    if reason is None:
        files.write(part, pack(episode, seed))
    return reason


_made: tuple[EnvSpec, gym.Env[Any, Any]] | None = None


def _env(spec: EnvSpec) -> gym.Env[Any, Any]:
    """The env, kept for the next seed."""
    global _made
    if _made is None or _made[0] != spec:
        if _made is not None:
            _made[1].close()
        # The spec itself, so that nothing need be registered here.
        _made = spec, gym.make(spec, disable_env_checker=True)
    return _made[1]


def _episode(env: gym.Env[Any, Any], run: Run, seed: int) -> tuple[dict[str, Any], str | None]:
    """Run one episode.

    Returns:
        The episode for `pack`, with time first, and why it must not be recorded, or None.
    """
    from gensim_envs.datasets.hdf5 import texts
    from gensim_envs.envs.rollout import transitions
    from gensim_envs.errors import OracleError
    from gensim_envs.oracle import Oracle

    oracle: Oracle
    respond: Respond | None
    labels: list[Action | None] = []  # the oracle's action in each state; None where it knows none
    answers: list[NDArray[np.float32]] = []  # all that are equally good

    def start(observation: Any, info: dict[str, Any]) -> None:
        nonlocal oracle, respond
        oracle = Oracle(env, np.random.default_rng([seed, *b"order"]))
        respond = None if run.behaviour is None else run.behaviour(env, seed)

    def act(observation: Any, info: dict[str, Any]) -> Any:
        label: Action | None = None
        try:
            label = oracle.act()
        except OracleError:
            if respond is None:
                raise
        labels.append(label)
        answers.append(np.zeros((0, 7), np.float32) if label is None else oracle.answers())
        return label if respond is None else respond(observation, info, label)

    options = _reset_options(run.perturb, seed)
    steps = list(transitions(env, act, seed=seed, options=options, start=start))
    observations = [steps[0].observation, *(step.next_observation for step in steps)]
    infos = [steps[0].info, *(step.next_info for step in steps)]
    held = {name: [info[name] for info in infos] for name in _INFOS}
    episode: dict[str, Any] = {
        "observations": _stack(observations),
        "actions": np.array([step.action for step in steps], dtype=np.float32),
        "rewards": np.array([step.reward for step in steps], dtype=np.float64),
        "terminations": np.array([step.terminated for step in steps], dtype=np.bool_),
        "truncations": np.array([step.truncated for step in steps], dtype=np.bool_),
        "infos": {
            name: texts(values) if name == "instruction" else np.array(values)
            for name, values in held.items()
        }
        | {"answers": padded(answers)},
    }
    if run.behaviour is not None:
        return _labelled(episode, labels)
    if not steps[-1].success:
        progress = infos[-1]["progress"]
        return episode, f"not solved in {len(steps)} steps, progress {progress:.2f}"
    return episode, None


def padded(answers: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Arrays (k, 7) of t steps as one, (t + 1, most, 7), with NaN where there is none."""
    whole = np.full((len(answers) + 1, max(1, *map(len, answers), 1), 7), np.nan, np.float32)
    for row, each in zip(whole, answers, strict=False):
        row[: len(each)] = each
    return whole


def _labelled(
    episode: dict[str, Any], labels: Sequence[Action | None]
) -> tuple[dict[str, Any], str | None]:
    """An episode with the oracle's actions as actions, and the executed ones in infos.

    Infos are one longer than actions; their last entries here are padding.
    """
    executed = episode["actions"]
    known = np.array([label is not None for label in labels])
    episode["actions"] = np.array(
        [own if label is None else label for own, label in zip(executed, labels, strict=True)],
        dtype=np.float32,
    )
    episode["infos"] |= {
        "executed": np.concatenate([executed, np.zeros_like(executed[:1])]),
        "labelled": np.append(known, False),
    }
    return episode, None if known.any() else "the oracle knows no action in any of its states"


def _reset_options(keys: Sequence[str], seed: int) -> dict[str, Any] | None:
    """The perturbations of an episode; each key has a generator of its own."""
    if not keys:
        return None
    drawn = {key: PERTURBATIONS[key](np.random.default_rng([seed, *key.encode()])) for key in keys}
    return {"perturb": drawn}


def _stack(observations: list[Any]) -> Any:
    """Observations as one, with time first."""
    if isinstance(observations[0], dict):
        return {name: _stack([each[name] for each in observations]) for name in observations[0]}
    return np.stack(observations)
