"""Demonstrations in memory, read from Minari datasets.

This needs neither a simulator nor Gymnasium nor Minari.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agents.data import tokens
from agents.data.episodes import IMAGE, PackedEpisode, Sample
from agents.errors import AgentsError
from gensim_envs.datasets import Dataset, DatasetError, Episode, find
from gensim_envs.seeds import TEST, VALIDATION

__all__ = ["IMAGE", "Demonstrations", "Sample"]

_ROUNDING = 1e-5  # by which an action may leave its bounds, as float32 numbers do


class Demonstrations:
    """Episodes of demonstrations. They are only ever added to; several threads may read them.

    Args:
        obs_mode: "rgbd" for images, "state" for vectors.
        action_low: (6,) least values of actions.
        action_high: (6,) greatest values of actions.
        state_bounds: capacity of the state vector by kind of row; empty if unknown or for images.

    Attributes:
        obs_mode: as given.
        action_low: (6,) as given.
        action_high: (6,) as given.
        state_bounds: as given.
        tokens: encoder -> instruction -> its tokens, so that a machine without the encoder can
            train; see `agents.policies.text_encoders`.
        recorded_with: `perturb` and `disturb` of the recordings, each combination once; see
            `agents.training.collect.collect`.

    Raises:
        AgentsError: if the bounds of actions are not valid.
    """

    def __init__(
        self, obs_mode: str, action_low: ArrayLike, action_high: ArrayLike,
        state_bounds: Mapping[str, int] = MappingProxyType({}),
    ) -> None:  # fmt: skip
        self.obs_mode = obs_mode
        try:
            with np.errstate(over="ignore"):  # which gives inf, and is refused below
                low, high = np.array([action_low, action_high], np.float32)
        except (TypeError, ValueError) as error:
            raise AgentsError(f"the bounds of actions are not numbers: {error}") from error
        if low.shape != (6,) or not np.isfinite([low, high]).all() or (low > high).any():
            raise AgentsError(
                f"the bounds of actions are not two times six numbers in order: {low}, {high}"
            )
        self.action_low, self.action_high = low, high
        self.state_bounds = dict(state_bounds)
        self.tokens: tokens.Tokens = {}
        self.recorded_with: list[dict[str, Any]] = []
        self._episodes: list[PackedEpisode] = []
        self._steps: list[tuple[int, int]] = []  # of each index, its episode and step

    # Adding.

    def add(self, episode: PackedEpisode) -> None:
        """Add an episode.

        Raises:
            AgentsError: if it does not fit the action bounds, or the states of the others.
        """
        low, high, actions = self.action_low, self.action_high, episode.actions
        what = f"episode {episode.seed} of {episode.env}"
        out = ((actions < low - _ROUNDING) | (actions > high + _ROUNDING)).any(axis=1)
        if out.any():
            raise AgentsError(f"{what}: action {actions[out][0]} is not between {low} and {high}")
        width = 0 if episode.states is None else episode.states.shape[1]
        if self._episodes and width != self.state_width:
            raise AgentsError(
                f"{what}: its states have {width} numbers, others {self.state_width}. Make all "
                "envs with the bounds that gensim_envs.common_bounds gives"
            )
        number = len(self._episodes)
        self._episodes.append(episode)
        self._steps += [(number, step) for step in range(len(actions))]

    @classmethod
    def joined(cls, parts: Sequence[Demonstrations]) -> Demonstrations:
        """The episodes of several, in their order; the bytes are shared.

        Raises:
            AgentsError: if there are none, or they do not fit each other.
        """
        if not parts:
            raise AgentsError("there are no demonstrations to join")
        whole = parts[0]._empty()
        for part in parts:
            _check_alike(whole, part)
            for episode in part._episodes:
                whole.add(episode)
            for encoder, known in part.tokens.items():
                whole.tokens.setdefault(encoder, {}).update(known)
            whole.recorded_with += [
                each for each in part.recorded_with if each not in whole.recorded_with
            ]
        return whole

    def first(self, count: int | None, envs: Sequence[str] = ()) -> Demonstrations:
        """The first episodes of each env, env after env; the bytes are shared.

        Args:
            count: number of episodes of each env; all if None.
            envs: ids; all if empty.

        Raises:
            AgentsError: if there are fewer.
        """
        part = self._empty()
        part.tokens, part.recorded_with = self.tokens, self.recorded_with
        for env in envs or self.envs:
            chosen = [episode for episode in self._episodes if episode.env == env][:count]
            if len(chosen) < (count or 0):
                raise AgentsError(
                    f"there are {len(chosen)} demonstrations of {env}, not {count}. "
                    "Make more, or ask for fewer"
                )
            for episode in chosen:
                part.add(episode)
        return part

    def _empty(self) -> Demonstrations:
        return Demonstrations(self.obs_mode, self.action_low, self.action_high, self.state_bounds)

    # Reading.

    def __len__(self) -> int:
        """The number of steps."""
        return len(self._steps)

    def __getitem__(self, index: int) -> Sample:
        """One step, decompressed."""
        number, step = self._steps[index]
        return self._episodes[number].sample(step)

    def __iter__(self) -> Iterator[Sample]:
        """All steps, in their order."""
        return (self[index] for index in range(len(self)))

    @property
    def envs(self) -> list[str]:
        """Ids, in the order of their first episodes."""
        return list(dict.fromkeys(episode.env for episode in self._episodes))

    @property
    def episodes(self) -> int:
        """Number of episodes."""
        return len(self._episodes)

    @property
    def state_width(self) -> int:
        """Length of a state; 0 for images."""
        first = self._episodes[0].states if self._episodes else None
        return 0 if first is None else first.shape[1]

    def seeds(self, env: str) -> list[int]:
        """Seeds of the episodes of an env, in their order."""
        return [episode.seed for episode in self._episodes if episode.env == env]

    def steps_of(self, env: str) -> NDArray[np.int64]:
        """Indices of the steps of an env."""
        mine = [episode.env == env for episode in self._episodes]
        return np.array([k for k, (number, _) in enumerate(self._steps) if mine[number]], np.int64)

    def instructions(self) -> list[str]:
        """Each instruction once, in the order of their first steps."""
        return list(dict.fromkeys(s for episode in self._episodes for s in episode.instructions))

    def sha256(self) -> str:
        """Hash of the content. It depends neither on files nor on compression nor on tokens."""
        whole = hashlib.sha256(self.obs_mode.encode())
        whole.update(np.concatenate([self.action_low, self.action_high]).astype("<f4").tobytes())
        for episode in self._episodes:
            whole.update(episode.digest)
        return whole.hexdigest()

    # Files.

    @classmethod
    def load(
        cls, *datasets: Path, envs: Sequence[str] = (), episodes: int | None = None
    ) -> Demonstrations:
        """Read Minari datasets and the tokens beside them.

        Steps without a label and episodes without success, where infos say so, are left out.

        Args:
            datasets: folders or ids of datasets; see `gensim_envs.datasets.find`. Those in one
                folder are read in the order of their paths.
            envs: ids of which to read datasets; all if empty.
            episodes: most to read of each dataset; all if None.

        Raises:
            DatasetError: if a dataset is missing or cannot be read.
            AgentsError: if it has no episodes, is of none of the envs, or does not fit policies or
                the others.
        """
        opened = [Dataset.open(path) for dataset in datasets for path in find(dataset)]
        chosen = [each for each in opened if not envs or each.env_id in envs]
        if opened and not chosen:
            raise AgentsError(
                f"there are no demonstrations of {', '.join(envs)}; the datasets are of "
                f"{', '.join(dict.fromkeys(each.env_id for each in opened))}"
            )
        parts = []
        for dataset in chosen:
            parts.append(cls._read(dataset, episodes))
            parts[-1].tokens = tokens.load(dataset.path.parent)
        return cls.joined(parts)

    @classmethod
    def _read(cls, dataset: Dataset, episodes: int | None) -> Demonstrations:
        read = cls("", dataset.action_low, dataset.action_high, dataset.state_bounds)
        read.recorded_with = [dataset.recorded_with] if dataset.recorded_with else []
        for episode in itertools.islice(filter(_useful, dataset.episodes()), episodes):
            _check_seed(dataset.env_id, episode)
            read.obs_mode = read.obs_mode or _obs_mode(episode)
            read.add(_read_episode(dataset.env_id, read.obs_mode, episode))
        if not read.episodes:
            raise AgentsError(f"{dataset.path} has no demonstrations; record some")
        return read


def _useful(episode: Episode) -> bool:
    """Whether an episode has labels or was solved, as far as its infos say."""
    if "infos/labelled" in episode:
        return True
    for name in ("infos/success", "infos/is_success"):
        if name in episode:
            return bool(np.ravel(episode.array(name))[-1:].all())
    return True


def _check_seed(env: str, episode: Episode) -> None:
    for name, seeds in (("validation", VALIDATION), ("test", TEST)):
        if env.startswith("gensim/") and episode.seed in seeds:
            raise AgentsError(
                f"{episode.what} was recorded with seed {episode.seed}, which is reserved for "
                f"{name}. Record with `gensim demos --seed`, from the training seeds"
            )


def _read_episode(env: str, obs_mode: str, episode: Episode) -> PackedEpisode:
    """The labelled steps of an episode."""
    labelled: Iterable[Any] = itertools.repeat(True)
    if "infos/labelled" in episode:
        labelled = np.ravel(episode.array("infos/labelled"))
    actions, instructions = episode.array("actions"), episode.texts("infos/instruction")
    steps = instructions, actions, _observations(obs_mode, episode), _answers(episode)
    chosen = (itertools.compress(each, labelled) for each in steps)
    return PackedEpisode.of(obs_mode, env, episode.seed, *chosen)


def _answers(episode: Episode) -> list[NDArray[Any]]:
    """The answers (k, 7) of each step; none if the dataset has none."""
    if "infos/answers" not in episode:
        return []
    answers = episode.array("infos/answers")[: episode.steps]
    if answers.ndim != 3:
        raise AgentsError(
            f"{episode.what}: infos/answers is {answers.shape}, not (steps + 1, k, 7)"
        )
    return [each[~np.isnan(each).any(axis=-1)] for each in answers]


def _obs_mode(episode: Episode) -> str:
    images = "observations/color" in episode and "observations/height" in episode
    return "rgbd" if images else "state"


def _observations(obs_mode: str, episode: Episode) -> Iterable[Any]:
    """The observations before each action."""
    if obs_mode == "rgbd":
        return zip(
            episode.frames("observations/color", "uint8", (*IMAGE, 3)),
            episode.frames("observations/height", "float32", IMAGE),
            strict=True,
        )
    try:
        return episode.array("observations")[: episode.steps]
    except DatasetError as error:
        raise AgentsError(
            f"policies read color {(*IMAGE, 3)} and height {IMAGE}, or a vector: {error}"
        ) from error


_ALIKE = {
    "obs_mode": "Take those of one mode",
    "action_low": "Cannot combine demonstrations with different action bounds",
    "action_high": "Cannot combine demonstrations with different action bounds",
    "state_bounds": "Make all with gensim_envs.common_bounds",
}
"""Attributes that must be equal for demonstrations to be joined, and the remedy."""


def _check_alike(whole: Demonstrations, part: Demonstrations) -> None:
    for name, remedy in _ALIKE.items():
        one, other = getattr(whole, name), getattr(part, name)
        if not np.all(one == other):
            raise AgentsError(f"some demonstrations have {name} {one}, others {other}. {remedy}")
