"""A process that plays seeds. Importing this loads no physics: the parent needs none."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec

from gensim_envs.datasets.folder import write

_INFOS = ("success", "progress", "instruction", "goals_left")
_made: tuple[EnvSpec, gym.Env[Any, Any]] | None = None


def start() -> None:
    """Leave Ctrl-C to the parent, and end when it ends, however that happens."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def warm_up() -> None:
    """Load what playing needs, in all processes at once."""
    import gensim_envs.datasets.hdf5
    import gensim_envs.oracle  # noqa: F401


def spaces_of(spec: EnvSpec) -> tuple[spaces.Space[Any], spaces.Space[Any]]:
    """The spaces of observations and of actions."""
    env = _env(spec)
    return env.observation_space, env.action_space


def play(spec: EnvSpec, seed: int, part: Path, note: Path) -> str | None:
    """Play one seed and write the episode to `part`, or why there is none to `note`.

    Returns:
        Why there is none.

    Raises:
        OSError: where the disk does not take it.
        TaskError: where the program was stopped, which may be for want of time or memory here.
    """
    from gensim_envs.datasets.hdf5 import pack
    from gensim_envs.errors import TaskError
    from gensim_envs.oracle import OracleError

    try:
        episode = _episode(_env(spec), seed)
        last = episode["infos"]
        reason = None
        if not last["success"][-1]:
            steps = len(episode["rewards"])
            reason = f"not solved in {steps} steps, progress {last['progress'][-1]:.2f}"
    except (OracleError, TaskError) as error:
        if isinstance(error, TaskError) and error.cause == "runtime" and error.line is None:
            raise  # another machine might draw this seed: it must not be noted as a failed one
        reason = f"{type(error).__name__}: {error}"
    if reason is None:
        write(part, pack(episode, seed))
    else:
        write(note, json.dumps({"reason": reason}).encode())
    return reason


def _env(spec: EnvSpec) -> gym.Env[Any, Any]:
    """The env, kept for the next seed."""
    global _made
    if _made is None or _made[0] != spec:
        if _made is not None:
            _made[1].close()
        # The spec itself, so that nothing need be registered here.
        _made = spec, gym.make(spec, disable_env_checker=True)
    return _made[1]


def _episode(env: gym.Env[Any, Any], seed: int) -> dict[str, Any]:
    """One episode of the oracle, with time first; see `pack`."""
    from gensim_envs.datasets.hdf5 import texts
    from gensim_envs.oracle import Oracle

    observation, info = env.reset(seed=seed)
    observations, infos = [observation], [info]
    actions, rewards = [], []
    terminations: list[bool] = []
    truncations: list[bool] = []
    oracle = Oracle(env)
    while not (terminations and (terminations[-1] or truncations[-1])):
        action = oracle.act()
        observation, reward, terminated, truncated, info = env.step(action)
        observations.append(observation)
        infos.append(info)
        actions.append(action)
        rewards.append(reward)
        terminations.append(terminated)
        truncations.append(truncated)
    held = {name: [info[name] for info in infos] for name in _INFOS}
    return {
        "observations": _stack(observations),
        "actions": np.array(actions, dtype=np.float32),
        "rewards": np.array(rewards, dtype=np.float64),
        "terminations": np.array(terminations, dtype=np.bool_),
        "truncations": np.array(truncations, dtype=np.bool_),
        "infos": {
            name: texts(values) if name == "instruction" else np.array(values)
            for name, values in held.items()
        },
    }


def _stack(observations: list[Any]) -> Any:
    """Observations as one, with time first."""
    if isinstance(observations[0], dict):
        return {name: _stack([each[name] for each in observations]) for name in observations[0]}
    return np.stack(observations)
