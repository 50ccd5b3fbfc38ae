"""Demonstrations in memory and in a file, compressed step by step.

Needs neither a simulator nor Gymnasium: a file that was made where these are trains anywhere.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agents import files
from agents.data import layout
from agents.data.episodes import IMAGE, Episode, Sample, Step
from agents.errors import AgentsError

__all__ = ["IMAGE", "OBS_MODES", "Demos", "Sample", "Step"]

OBS_MODES = ("rgbd", "state")

_MAKE = "`python -m agents export` makes such a file"
_ROUNDING = 1e-5  # by which an action may leave its bounds, as float32 numbers do


class Demos:
    """Episodes of demonstrations. Only ever added to; may be read by several threads.

    Args:
        obs_mode: "rgbd" for pictures, "state" for vectors.
        action_low: (6,) least values of actions.
        action_high: (6,) greatest values of actions.
        state_bounds: most of each kind of thing that a state vector has room for; empty where that
            is not known, or where there are pictures.

    Attributes:
        obs_mode: as given.
        action_low: (6,) as given.
        action_high: (6,) as given.
        state_bounds: as given.
        tokens: name of an encoder -> sentence -> its tokens, so that a machine without the
            encoder can train; see `agents.policies.language`.

    Raises:
        AgentsError: on any other mode or bounds.
    """

    def __init__(
        self, obs_mode: str, action_low: ArrayLike, action_high: ArrayLike,
        state_bounds: Mapping[str, int] = MappingProxyType({}),
    ) -> None:  # fmt: skip
        self.obs_mode = obs_mode
        self.action_low = np.array(action_low, np.float32)
        self.action_high = np.array(action_high, np.float32)
        self.state_bounds = dict(state_bounds)
        self.tokens: layout.Tokens = {}
        self._episodes: list[Episode] = []
        self._steps: list[tuple[int, int]] = []  # of each index, its episode and step
        if obs_mode not in OBS_MODES:
            raise AgentsError(f"demonstrations have obs_mode {' or '.join(OBS_MODES)}, "
                              f"not {obs_mode!r:.60}")  # fmt: skip
        low, high = self.action_low, self.action_high
        if not (low.shape == high.shape == (6,) and np.isfinite([low, high]).all()):
            raise AgentsError(f"the bounds of actions are two times six numbers, not {low}, {high}")
        if (low > high).any():
            raise AgentsError(f"the bounds of actions cross: {low}, {high}")

    # Adding.

    def add_episode(self, env: str, seed: int, samples: Sequence[Step]) -> None:
        """Add an episode; of samples, only what `Step` has is read.

        Raises:
            AgentsError: where a step does not have what its episode needs; nothing is added.
        """
        self._add(Episode.of(self.obs_mode, env, seed, samples))

    def _add(self, episode: Episode) -> None:
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
    def joined(cls, parts: Sequence[Demos]) -> Demos:
        """The episodes of several, in their order; the bytes are shared.

        Raises:
            AgentsError: where there is none, or they are not of one kind.
        """
        if not parts:
            raise AgentsError("there are no demonstrations to join")
        whole = parts[0]._empty()
        for part in parts:
            _check_alike(whole, part)
            for episode in part._episodes:
                whole._add(episode)
            for encoder, known in part.tokens.items():
                whole.tokens.setdefault(encoder, {}).update(known)
        return whole

    def first(self, count: int, envs: Sequence[str] | None = None) -> Demos:
        """The first `count` episodes of each env; the bytes are shared.

        Raises:
            AgentsError: where an env has fewer.
        """
        chosen = self.envs if envs is None else list(envs)
        left = dict.fromkeys(chosen, count)
        part = self._empty()
        part.tokens = self.tokens
        for episode in self._episodes:
            if left.get(episode.env, 0) > 0:
                left[episode.env] -= 1
                part._add(episode)
        for env, missing in left.items():
            if missing > 0:
                raise AgentsError(
                    f"there are {count - missing} demonstrations of {env}, not {count}. "
                    "Make more, or ask for fewer"
                )
        return part

    def _empty(self) -> Demos:
        return Demos(self.obs_mode, self.action_low, self.action_high, self.state_bounds)

    # Reading.

    def __len__(self) -> int:
        """The number of steps."""
        return len(self._steps)

    def __getitem__(self, index: int) -> Sample:
        """One step, decompressed."""
        number, step = self._steps[index]
        return self._episodes[number].sample(number, step)

    def __iter__(self) -> Iterator[Sample]:
        """All steps, in their order."""
        return (self[index] for index in range(len(self)))

    @property
    def envs(self) -> list[str]:
        """Ids, in the order in which they were first added."""
        return list(dict.fromkeys(episode.env for episode in self._episodes))

    @property
    def episodes(self) -> int:
        """How many there are."""
        return len(self._episodes)

    @property
    def nbytes(self) -> int:
        """Memory that observations and actions take, without Python's own."""
        return sum(episode.nbytes for episode in self._episodes)

    @property
    def state_width(self) -> int:
        """Numbers in a state; 0 where there are no states."""
        first = self._episodes[0].states if self._episodes else None
        return 0 if first is None else first.shape[1]

    def seeds(self, env: str) -> list[int]:
        """With which the episodes of an env were reset, in their order."""
        return [episode.seed for episode in self._episodes if episode.env == env]

    def steps_of(self, env: str) -> NDArray[np.int64]:
        """Indices of the steps of an env."""
        mine = [episode.env == env for episode in self._episodes]
        return np.array([k for k, (number, _) in enumerate(self._steps) if mine[number]], np.int64)

    def instructions(self) -> list[str]:
        """Every sentence once, in the order in which they were first said."""
        return list(dict.fromkeys(s for episode in self._episodes for s in episode.instructions))

    def sha256(self) -> str:
        """Of the content, whatever the file or the compression. Tokens follow from it and so are
        left out.
        """
        whole = hashlib.sha256(self.obs_mode.encode())
        whole.update(np.concatenate([self.action_low, self.action_high]).astype("<f4").tobytes())
        for episode in self._episodes:
            whole.update(episode.digest)
        return whole.hexdigest()

    # Files.

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write one HDF5 file; what was at its place is replaced only when all is written.

        Raises:
            AgentsError: where it cannot be written, a full disk included.
        """
        content = layout.Content(
            self.obs_mode, self.action_low, self.action_high, self._episodes, self.tokens,
            self.state_bounds,
        )  # fmt: skip
        files.write(Path(path).expanduser(), layout.to_bytes(content))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Demos:
        """Read what `save` wrote. Nothing of the file is executed, and everything is checked.

        Raises:
            AgentsError: naming the file and what is wrong with it.
        """
        path = Path(path).expanduser()
        try:
            data = path.read_bytes()
        except OSError as error:
            raise AgentsError(f"{path} cannot be read: {error.strerror}. {_MAKE}") from error
        try:
            content = layout.from_bytes(data)
            demos = cls(
                content.obs_mode, content.action_low, content.action_high, content.state_bounds
            )
            for episode in content.episodes:
                demos._add(episode)
        except AgentsError as error:
            raise AgentsError(f"{path} holds no demonstrations: {error}. {_MAKE}") from error
        demos.tokens = content.tokens
        return demos


def _check_alike(whole: Demos, part: Demos) -> None:
    if whole.obs_mode != part.obs_mode:
        raise AgentsError(f"some demonstrations have obs_mode {whole.obs_mode}, others "
                          f"{part.obs_mode}. Take those of one mode")  # fmt: skip
    if not (
        np.array_equal(whole.action_low, part.action_low)
        and np.array_equal(whole.action_high, part.action_high)
    ):
        raise AgentsError("demonstrations of envs with different bounds of actions do not mix")
    if whole.state_bounds != part.state_bounds:
        raise AgentsError(
            f"some demonstrations have state vectors with room for {whole.state_bounds}, others "
            f"for {part.state_bounds}. Make all with gensim_envs.common_bounds"
        )
