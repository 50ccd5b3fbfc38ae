"""Demonstrations from Minari datasets, whoever recorded them."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec

from agents.data.demos import IMAGE, Demos, Sample
from agents.errors import AgentsError
from agents.evaluation.rollout import of_suite
from gensim_envs import common_bounds
from gensim_envs.seeds import TEST, VALIDATION

_SUCCESS = ("success", "is_success")  # infos that say so, where there are any


def check_spaces(
    what: str, obs_mode: str | None, observations: spaces.Space[Any], actions: spaces.Space[Any]
) -> None:
    """Say so where agents cannot act in these spaces.

    Args:
        what: has them.
        obs_mode: of the agent; None for one that does not look.
        observations: that it gets.
        actions: that it gives.

    Raises:
        AgentsError: naming `what`, what it has and what is needed.
    """
    if not (isinstance(actions, spaces.Box) and actions.shape == (6,) and actions.is_bounded()):
        raise AgentsError(f"{what} has actions {actions}; agents give six bounded numbers")
    if obs_mode is not None and obs_mode_of(observations) != obs_mode:
        need = (
            "a vector"
            if obs_mode == "state"
            else f"a Dict with color {(*IMAGE, 3)} uint8 and height {IMAGE} float32"
        )
        raise AgentsError(
            f"{what} has observations {_said(observations)}; obs_mode {obs_mode} is {need}"
        )


def obs_mode_of(space: spaces.Space[Any]) -> str | None:
    """Which kind of observations a space has; None for those that agents cannot see."""
    if isinstance(space, spaces.Box) and len(space.shape) == 1:
        return "state"
    parts = space.spaces if isinstance(space, spaces.Dict) else {}
    kinds = {name: (part.shape, np.dtype(part.dtype).kind) for name, part in parts.items()}
    if kinds.get("color") == ((*IMAGE, 3), "u") and kinds.get("height") == (IMAGE, "f"):
        return "rgbd"
    return None


def _said(space: spaces.Space[Any]) -> str:
    if isinstance(space, spaces.Dict):
        return "Dict(" + ", ".join(f"{k}: {_said(part)}" for k, part in space.items()) + ")"
    return f"{type(space).__name__} {space.shape} {space.dtype}"


def from_minari(
    datasets: Sequence[str], root: Path | None = None, episodes: int | None = None
) -> Demos:
    """The demonstrations of datasets whose infos hold the instruction of each step.

    Episodes whose infos say that they did not succeed are left out.

    Args:
        datasets: ids, such as "gensim/PutBlockInBowl/oracle-v0".
        root: the folder that they are in; None for Minari's own.
        episodes: how many of each; None for all.

    Raises:
        AgentsError: naming the dataset, what it has and what is needed.
    """
    missing = [name for name in ("minari", "h5py") if importlib.util.find_spec(name) is None]
    if missing:
        raise AgentsError(f'{missing[0]} is not installed. pip install -e ".[agents]"')
    return Demos.joined([_read(dataset, root, episodes) for dataset in datasets])


def _read(id: str, root: Path | None, episodes: int | None) -> Demos:
    dataset = _open(id, root)
    obs_mode = obs_mode_of(dataset.observation_space)
    check_spaces(id, obs_mode or "rgbd", dataset.observation_space, dataset.action_space)
    assert obs_mode is not None
    room = _state_bounds(dataset.env_spec) if obs_mode == "state" else {}
    demos = Demos(obs_mode, dataset.action_space.low, dataset.action_space.high, room)
    env = id if dataset.env_spec is None else dataset.env_spec.id
    for index in map(int, dataset.episode_indices):
        if demos.episodes == episodes:
            break
        what = f"{id}, episode {index}"
        try:
            (metadata,) = dataset.storage.get_episode_metadata([index])
            (episode,) = dataset.iterate_episodes([index])
        except (OSError, LookupError, ValueError, TypeError, RuntimeError) as error:
            raise AgentsError(f"{what} cannot be read: {error}. Record the dataset anew") from error
        if _succeeded(episode.infos):
            seed = int(metadata.get("seed") or 0)
            _check_seed(env, seed, what)
            demos.add_episode(env, seed, _samples(env, obs_mode, episode, what))
    if demos.episodes < (episodes or 1):
        raise AgentsError(
            f"{id} has {demos.episodes} solved episodes, {episodes or 1} are needed. "
            "Record more of them, or ask for fewer"
        )
    return demos


def _state_bounds(spec: EnvSpec | None) -> dict[str, int]:
    """What the state vectors of an env have room for; empty where it is not of this suite."""
    if spec is None or not of_suite(spec.id):
        return {}
    return dict(spec.kwargs.get("bounds") or common_bounds([spec.id]))


def _open(id: str, root: Path | None) -> Any:
    import minari

    try:
        if root is None:
            return minari.load_dataset(id)
        return minari.MinariDataset(root.expanduser() / id / "data")
    # Minari reads JSON and HDF5 that may say anything.
    except (OSError, LookupError, ValueError, TypeError, RuntimeError, ImportError,
            AttributeError, AssertionError) as error:  # fmt: skip
        where = "" if root is None else f" in {root}"
        raise AgentsError(
            f"there is no dataset {id}{where} that can be read: {error}. `gensim demos` records "
            "some; --minari-root says where they are"
        ) from error


def _succeeded(infos: Mapping[str, Any] | None) -> bool:
    known = [np.ravel(infos[name]) for name in _SUCCESS if infos and name in infos]
    return not known or bool(known[0][-1])


def _check_seed(env: str, seed: int, what: str) -> None:
    for name, seeds in (("validation", VALIDATION), ("test", TEST)):
        if env.startswith("gensim/") and seed in seeds:
            raise AgentsError(
                f"{what} was recorded with seed {seed}, which is for {name}: results would be "
                "worth nothing. Record with `gensim demos --seed`, from the training seeds"
            )


def _samples(env: str, obs_mode: str, episode: Any, what: str) -> list[Sample]:
    actions = np.asarray(episode.actions)
    said = (episode.infos or {}).get("instruction")
    if said is None or len(said) < len(actions):
        raise AgentsError(
            f"{what} has no instructions; its infos need an 'instruction' for each step"
        )
    seen = episode.observations
    names = ("state",) if obs_mode == "state" else ("color", "height")
    columns = {name: seen if obs_mode == "state" else seen[name] for name in names}
    if any(len(column) < len(actions) for column in columns.values()):
        raise AgentsError(f"{what} has fewer observations than actions; record it anew")
    return [
        Sample(
            env=env,
            episode=0,
            step=step,
            instruction=_text(said[step]),
            action=action,
            **{name: np.asarray(column[step]) for name, column in columns.items()},
        )
        for step, action in enumerate(actions)
    ]


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
