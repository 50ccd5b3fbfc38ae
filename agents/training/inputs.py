"""Inputs of a training run: demonstrations, validation, instruction tokens and policy spec."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from agents.data.demonstrations import Demonstrations
from agents.errors import AgentsError
from agents.policies.base import Array, PolicySpec, same_encoder
from agents.policies.learned import policy_class
from agents.policies.registry import text_encoder
from agents.policies.text_encoders import PROBE, fingerprint
from agents.training.config import TrainConfig, Validate, load_start
from agents.training.distributed import find_device
from gensim_envs.errors import GensimError
from gensim_envs.utils import files

Encoded = tuple[dict[str, Array], int, tuple[float, ...]]
"""The tokens of each instruction, their width, and the fingerprint of their encoder."""

_MAKE = "make demonstrations; give datasets with --data"


def check_source(config: TrainConfig) -> None:
    """Check that a run has demonstrations, or can make them.

    Raises:
        AgentsError: if there are none, several processes would make them, or the suite has no such
            task.
    """
    if not (config.data or config.envs):
        raise AgentsError("give tasks with --env or --tasks, or a dataset with --data")
    asked = [("--perturb", config.perturb), ("--disturb", config.disturb != TrainConfig.disturb)]
    for option, is_asked in asked:
        if config.data and is_asked:
            raise AgentsError(
                f"{option} only affects newly recorded demonstrations, but --data gives existing "
                f"ones; record others with `python -m agents export {option}`, and give them as "
                "--data"
            )
    if config.data:
        return
    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        raise AgentsError(
            "several processes need recorded demonstrations: make them with `python -m agents "
            "export`, and give their folder as --data"
        )
    require_simulator(_MAKE)
    from agents.training.collect import check_tasks

    check_tasks(config.envs)


def task_ids(envs: Iterable[str]) -> tuple[str, ...]:
    """The ids under which tasks are registered; as given where the simulator is not installed."""
    if _missing():
        return tuple(dict.fromkeys(envs))
    from agents.evaluation.playing import canonical

    return tuple(dict.fromkeys(map(canonical, envs)))


def plain_ids(envs: Iterable[str]) -> tuple[str, ...]:
    """Ids as datasets have them, of what `gym.make` takes: without "module:" before them."""
    return tuple(env.rpartition(":")[2] for env in envs)


def demonstrations(config: TrainConfig, obs_mode: str) -> Demonstrations:
    """Read the demonstrations of a run, or make them.

    Raises:
        AgentsError: if there are none, and none can be made.
    """
    if config.data:
        return Demonstrations.load(*config.data, envs=plain_ids(config.envs), episodes=config.demos)
    require_simulator(_MAKE)
    from agents.training.collect import collect

    assert config.demos is not None
    folder = config.out / "demos"
    if config.overwrite:
        files.remove(folder)
    return collect(
        config.envs, config.demos, folder, obs_mode=obs_mode, workers=config.workers,
        perturb=config.perturb, disturb=config.disturb,
    )  # fmt: skip


def require_simulator(purpose: str) -> None:
    """Check that the simulator is installed.

    Args:
        purpose: what it is needed for, as a verb phrase.

    Raises:
        AgentsError: if it is not.
    """
    if missing := _missing():
        raise AgentsError(f"{', '.join(missing)} is not installed, which is needed to {purpose}")


def validation(config: TrainConfig, envs: Sequence[str]) -> Validate | None:
    """Return the function that measures validation success, or None without the simulator
    or with `--validate-every 0`.

    Raises:
        AgentsError: if a task is not registered.
    """
    if not config.validate_every or _missing():
        return None
    import gymnasium as gym

    from agents.evaluation.evaluate import evaluate
    from agents.evaluation.playing import MAKE_ERRORS
    from gensim_envs.seeds import VALIDATION

    for env in envs:
        try:
            # Only the user may name a module that is imported.
            known = gym.spec(env) if env in config.envs else gym.registry.get(env)
        except MAKE_ERRORS:
            known = None
        if known is None:
            raise AgentsError(
                f"{env} is not registered here, so success cannot be measured on it; give "
                "--validate-every 0, register its library with GENSIM_LIBRARY, or import what "
                "registers it by --env MODULE:ID"
            )
    seeds = list(VALIDATION[: config.validation_episodes])

    def validate(folder: Path) -> float:
        return float(evaluate(folder, envs, seeds=seeds, workers=config.workers)["success"])

    return validate


def _missing() -> list[str]:
    return [name for name in ("gymnasium", "pybullet") if importlib.util.find_spec(name) is None]


def select_demos(config: TrainConfig, demos: Demonstrations) -> Demonstrations:
    """The part of a dataset to train on.

    Raises:
        AgentsError: if it lacks tasks or demonstrations, or has other observations.
    """
    cls = policy_class(config.policy)
    if demos.obs_mode != cls.obs_mode:
        raise AgentsError(
            f"{config.policy} learns from obs_mode={cls.obs_mode!r}, the dataset has "
            f"{demos.obs_mode!r}; record one with `python -m agents export --obs-mode "
            f"{cls.obs_mode}`"
        )
    asked = plain_ids(config.envs)
    unknown = [env for env in asked if env not in demos.envs]
    if unknown or not len(demos):
        raise AgentsError(
            f"the dataset has no demonstrations of {', '.join(unknown) or 'any task'}; it has "
            f"{', '.join(demos.envs) or 'none'}"
        )
    if config.demos is None and not config.envs:
        return demos
    return demos.first(config.demos, asked)


def check_machine(
    config: TrainConfig, hyperparameters: Any, demos: Demonstrations | None, *, validates: bool
) -> None:
    """Check, before long work, that this machine has what a run needs.

    Args:
        config: of the run.
        hyperparameters: of its policy.
        demos: what it trains on, if that exists already.
        validates: whether the policy is played during training.

    Raises:
        GensimError: if the device or the text encoder is missing.
    """
    find_device(config.device)
    cls = policy_class(config.policy)
    if not cls.reads_instructions:
        return
    cls.check_requirements(hyperparameters, config.encoder)
    stored = None if demos is None else _stored_tokens(config, demos)
    if stored is not None and not validates:
        return
    try:
        encoder = text_encoder(config.encoder)
    except GensimError as error:
        if stored is None:
            raise
        raise AgentsError(
            f"{error}. The dataset has the tokens for training but not for validation; give "
            "--validate-every 0 to train without"
        ) from error
    if stored is not None and not same_encoder(encoder.fingerprint(), stored[2]):
        raise AgentsError(
            f"the tokens of the dataset are from another {config.encoder} than the one here, which "
            "validation uses; make the dataset again, or give --validate-every 0"
        )


def instruction_tokens(config: TrainConfig, demos: Demonstrations) -> Encoded:
    """The tokens of each instruction of a dataset, and the encoder's width and fingerprint.

    Tokens that are stored in the dataset are used if they are vectors, without an encoder.
    """
    instructions = demos.instructions()
    if not policy_class(config.policy).reads_instructions:
        return dict.fromkeys(instructions, np.zeros((0, 0), np.float32)), 0, ()
    stored = _stored_tokens(config, demos)
    if stored is not None:
        return stored
    encoder = text_encoder(config.encoder)
    tokens = dict(zip(instructions, encoder.encode(instructions), strict=True))
    return tokens, encoder.width, encoder.fingerprint()


def _stored_tokens(config: TrainConfig, demos: Demonstrations) -> Encoded | None:
    """Result of `instruction_tokens` if a dataset stores vectors of all its instructions."""
    instructions, stored = demos.instructions(), demos.tokens.get(config.encoder, {})
    if not all(each in stored and stored[each].ndim == 2 for each in instructions):
        return None
    known = fingerprint(stored[PROBE]) if PROBE in stored else ()
    return {each: stored[each] for each in instructions}, stored[instructions[0]].shape[1], known


def make_spec(
    config: TrainConfig, demos: Demonstrations, width: int, encoder_fingerprint: tuple[float, ...]
) -> PolicySpec:
    """The spec of a policy that is trained on a dataset.

    Raises:
        AgentsError: if the checkpoint to start from has another one.
    """
    cls = policy_class(config.policy)
    sample = demos[0]
    names = ("state",) if cls.obs_mode == "state" else ("color", "height")
    spec = PolicySpec(
        policy=config.policy,
        envs=tuple(demos.envs),
        obs_mode=cls.obs_mode,
        observation={name: list(getattr(sample, name).shape) for name in names},
        action_low=tuple(map(float, demos.action_low)),
        action_high=tuple(map(float, demos.action_high)),
        encoder=config.encoder if cls.reads_instructions else None,
        encoder_width=width,
        state_bounds=demos.state_bounds,
        encoder_fingerprint=encoder_fingerprint,
    )
    start = None if config.start_from is None else load_start(config.start_from)[0]
    if start is not None and cls.any_rows:
        start = replace(start, observation=spec.observation)
    if start is not None and (differ := spec.differences(start)):
        raise AgentsError(
            f"the checkpoint {config.start_from} does not fit the dataset: {'; '.join(differ)}. "
            "Train without --start-from"
        )
    return spec
