"""Demonstrations in memory and in a file, compressed step by step.

Needs neither a simulator nor Gymnasium: a file that was made where these are trains anywhere.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agents.errors import AgentsError
from agents.hdf5 import Tables, pack, unpack, write_atomically

IMAGE = (160, 320)
"""Rows and columns of every picture."""
OBS_MODES = ("rgbd", "state")

_MAKE = "`python -m agents export` makes such a file"
_FORMAT = "gensim-envs demonstrations, version 1"
_HEIGHT_UNIT = 1e-4  # metres: a tenth of what the suite promises of its heights
_LEVEL = 6  # of zlib
_COLOR_BYTES = IMAGE[0] * IMAGE[1] * 3
_HEIGHT_BYTES = IMAGE[0] * IMAGE[1] * 2
_ROUNDING = 1e-5  # by which an action may leave its bounds, as float32 numbers do

Floats = NDArray[np.float32]


class Step(Protocol):
    """What is known before one action, and the action; a `Sample` is one."""

    @property
    def instruction(self) -> str: ...
    @property
    def action(self) -> ArrayLike: ...
    @property
    def color(self) -> NDArray[np.uint8] | None: ...
    @property
    def height(self) -> Floats | None: ...
    @property
    def state(self) -> Floats | None: ...


@dataclass(frozen=True, eq=False)
class Sample:
    """One step of a demonstration.

    Attributes:
        env: id of the env.
        episode: number of the episode in its `Demos`.
        step: number of the step in its episode.
        instruction: what was asked for.
        action: (6,) what was done: pick x, pick y, pick yaw, place x, place y, place yaw.
        color: (160, 320, 3) where the observations are pictures.
        height: (160, 320) in metres, to 0.1 mm, where they are pictures.
        state: (n,) where they are vectors.
    """

    env: str
    episode: int
    step: int
    instruction: str
    action: Floats
    color: NDArray[np.uint8] | None = None
    height: Floats | None = None
    state: Floats | None = None


@dataclass(frozen=True, eq=False)
class _Episode:
    """One episode of T steps, as it is kept.

    Attributes:
        env: id of the env.
        seed: with which it was reset.
        instructions: T sentences.
        actions: (T, 6).
        frames: T compressed pairs of color and height; empty where there is `states`.
        states: (T, n), or None.
        digest: of all the above, with the frames decompressed.
    """

    env: str
    seed: int
    instructions: tuple[str, ...]
    actions: Floats
    frames: tuple[tuple[bytes, bytes], ...]
    states: Floats | None
    digest: bytes

    @property
    def nbytes(self) -> int:
        states = 0 if self.states is None else self.states.nbytes
        return self.actions.nbytes + states + sum(len(c) + len(h) for c, h in self.frames)


class Demos:
    """Episodes of demonstrations. Only ever added to; may be read by several threads.

    Args:
        obs_mode: "rgbd" for pictures, "state" for vectors.
        action_low: (6,) least values of actions.
        action_high: (6,) greatest values of actions.

    Attributes:
        obs_mode: as given.
        action_low: (6,) as given.
        action_high: (6,) as given.
        tokens: name of an encoder -> sentence -> its tokens, so that a machine without the
            encoder can train; see `agents.language`.

    Raises:
        AgentsError: on any other mode or bounds.
    """

    def __init__(self, obs_mode: str, action_low: ArrayLike, action_high: ArrayLike) -> None:
        self.obs_mode = obs_mode
        self.action_low = np.array(action_low, np.float32)
        self.action_high = np.array(action_high, np.float32)
        self.tokens: dict[str, dict[str, NDArray[Any]]] = {}
        self._episodes: list[_Episode] = []
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
        what = f"episode {seed} of {env}"
        if not samples:
            raise AgentsError(f"{what} has no steps")
        actions = np.array([sample.action for sample in samples], np.float32)
        self._check_actions(actions, what)
        states = None
        frames: tuple[tuple[bytes, bytes], ...] = ()
        raw: list[tuple[bytes, bytes]] = []
        if self.obs_mode == "state":
            states = self._states([sample.state for sample in samples], what)
        else:
            raw = [_raw(sample, what) for sample in samples]
            frames = tuple((zlib.compress(c, _LEVEL), zlib.compress(h, _LEVEL)) for c, h in raw)
        self._append(env, seed, [s.instruction for s in samples], actions, frames, states, raw)

    def _check_actions(self, actions: Floats, what: str) -> None:
        if actions.shape[1:] != (6,) or not np.isfinite(actions).all():
            raise AgentsError(f"{what}: an action is not six finite numbers")
        out = (actions < self.action_low - _ROUNDING) | (actions > self.action_high + _ROUNDING)
        if out.any():
            raise AgentsError(
                f"{what}: action {actions[out.any(axis=1)][0]} is not between {self.action_low} "
                f"and {self.action_high}"
            )

    def _states(self, states: Sequence[Floats | None], what: str) -> Floats:
        width = self.state_width
        for state in states:
            if state is None or state.ndim != 1 or not len(state) or not np.isfinite(state).all():
                raise AgentsError(f"{what}: a state is not a vector of finite numbers")
            width = width or len(state)
            if len(state) != width:
                raise AgentsError(
                    f"{what}: a state has {len(state)} numbers, others {width}. Make all envs with "
                    "the bounds that gensim_envs.common_bounds gives"
                )
        return np.array(states, np.float32)

    def _append(
        self,
        env: str,
        seed: int,
        instructions: Sequence[str],
        actions: Floats,
        frames: Sequence[tuple[bytes, bytes]],
        states: Floats | None,
        raw: Iterable[tuple[bytes, bytes]],
    ) -> None:
        """Add what has been checked; `raw` are the frames, decompressed."""
        digest = hashlib.sha256(json.dumps([env, seed, list(instructions)]).encode())
        digest.update(actions.astype("<f4").tobytes())
        if states is not None:
            digest.update(states.astype("<f4").tobytes())
        for color, height in raw:
            digest.update(color)
            digest.update(height)
        self._add(
            _Episode(
                env, seed, tuple(instructions), actions, tuple(frames), states, digest.digest()
            )
        )

    def _add(self, episode: _Episode) -> None:
        number = len(self._episodes)
        self._episodes.append(episode)
        self._steps += [(number, step) for step in range(len(episode.actions))]

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
        return Demos(self.obs_mode, self.action_low, self.action_high)

    # Reading.

    def __len__(self) -> int:
        """The number of steps."""
        return len(self._steps)

    def __getitem__(self, index: int) -> Sample:
        """One step, decompressed."""
        number, step = self._steps[index]
        episode = self._episodes[number]
        color = height = state = None
        if episode.states is not None:
            state = episode.states[step]
        else:
            raw_color, raw_height = map(zlib.decompress, episode.frames[step])
            color = np.frombuffer(raw_color, np.uint8).reshape(*IMAGE, 3).copy()
            ticks = np.frombuffer(raw_height, "<i2").reshape(IMAGE)
            height = ticks * np.float32(_HEIGHT_UNIT)
        return Sample(
            env=episode.env,
            episode=number,
            step=step,
            instruction=episode.instructions[step],
            action=episode.actions[step],
            color=color,
            height=height,
            state=state,
        )

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
        write_atomically(Path(path).expanduser(), pack(_FORMAT, *_tables(self)))

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
            return _parsed(*unpack(_FORMAT, data))
        except AgentsError as error:
            raise AgentsError(f"{path} holds no demonstrations: {error}. {_MAKE}") from error


def _check_alike(whole: Demos, part: Demos) -> None:
    if whole.obs_mode != part.obs_mode:
        raise AgentsError(f"some demonstrations have obs_mode {whole.obs_mode}, others "
                          f"{part.obs_mode}. Take those of one mode")  # fmt: skip
    if not (
        np.array_equal(whole.action_low, part.action_low)
        and np.array_equal(whole.action_high, part.action_high)
    ):
        raise AgentsError("demonstrations of envs with different bounds of actions do not mix")
    if whole.state_width and part.state_width and whole.state_width != part.state_width:
        raise AgentsError(
            f"some states have {whole.state_width} numbers, others {part.state_width}. Make all "
            "envs with the bounds that gensim_envs.common_bounds gives"
        )


def _raw(sample: Step, what: str) -> tuple[bytes, bytes]:
    """The bytes of color and of height, in tenths of a millimetre."""
    color, height = sample.color, sample.height
    if color is None or color.dtype != np.uint8 or color.shape != (*IMAGE, 3):
        raise AgentsError(f"{what}: color is {_said(color)}, not uint8 {(*IMAGE, 3)}")
    if height is None or height.dtype.kind != "f" or height.shape != IMAGE:
        raise AgentsError(f"{what}: height is {_said(height)}, not float32 {IMAGE}")
    ticks = np.round(height / _HEIGHT_UNIT)
    if not (np.abs(ticks) < 2**15).all():
        raise AgentsError(f"{what}: a height is not a number between -3.2 and 3.2 metres")
    return color.tobytes(), ticks.astype("<i2").tobytes()


def _said(array: NDArray[Any] | None) -> str:
    return "missing" if array is None else f"{array.dtype} {array.shape}"


# ------------------------------------------------------------------------------ the file's layout


def _tables(demos: Demos) -> tuple[dict[str, Any], Tables]:
    """All there is, as a JSON value of texts and as arrays that refer to texts by number."""
    episodes, envs, sentences = demos._episodes, demos.envs, demos.instructions()
    env_of = {env: k for k, env in enumerate(envs)}
    said = {sentence: k for k, sentence in enumerate(sentences)}
    tables: Tables = {
        "action_bounds": np.stack([demos.action_low, demos.action_high]),
        "episode/env": _integers(env_of[episode.env] for episode in episodes),
        "episode/seed": _integers(episode.seed for episode in episodes),
        "episode/steps": _integers(len(episode.actions) for episode in episodes),
        "step/action": _concatenated((0, 6), [episode.actions for episode in episodes]),
        "step/instruction": _integers(said[s] for e in episodes for s in e.instructions),
    }
    if demos.obs_mode == "state":
        states = [episode.states for episode in episodes if episode.states is not None]
        tables["step/state"] = _concatenated((0, demos.state_width), states)
    else:
        frames = [frame for episode in episodes for frame in episode.frames]
        for column, name in enumerate(("color", "height")):
            tables[f"step/{name}"] = np.frombuffer(b"".join(f[column] for f in frames), np.uint8)
            tables[f"step/{name}_bytes"] = _integers(len(frame[column]) for frame in frames)
    encoders: list[tuple[str, list[str]]] = []
    for name, known in demos.tokens.items():
        if known:
            place = f"tokens/{len(encoders)}"
            encoders.append((name, list(known)))
            tables[f"{place}/values"] = np.concatenate(list(known.values()))
            tables[f"{place}/count"] = _integers(map(len, known.values()))
    texts = {"obs_mode": demos.obs_mode, "envs": envs, "said": sentences, "encoders": encoders}
    return texts, tables


def _integers(values: Iterable[int]) -> NDArray[np.int64]:
    return np.array(list(values), np.int64)


def _concatenated(empty: tuple[int, int], parts: Sequence[Floats]) -> Floats:
    return np.concatenate([np.empty(empty, np.float32), *parts])


def _parsed(texts: Any, tables: Tables) -> Demos:
    """What `_tables` was given, each part checked.

    Raises:
        AgentsError: saying what is wrong.
    """
    obs_mode, envs, said, encoders = _texts(texts)
    demos = Demos(obs_mode, *_table(tables, "action_bounds", "f4", (2, 6)))
    counts = _table(tables, "episode/steps", "i8", (None,))
    episodes, steps = len(counts), int(counts.sum())
    if (counts < 1).any() or (counts > steps).any():
        raise AgentsError("episode/steps has a length that no episode has")
    env_of = _indices(tables, "episode/env", episodes, len(envs))
    seeds = _table(tables, "episode/seed", "i8", (episodes,))
    sentence = _indices(tables, "step/instruction", steps, len(said))
    actions = _table(tables, "step/action", "f4", (steps, 6))
    states, frames = None, []
    if obs_mode == "state":
        states = _table(tables, "step/state", "f4", (steps, None))
    else:
        colors, heights = (_blobs(tables, f"step/{name}", steps) for name in ("color", "height"))
        frames = list(zip(colors, heights, strict=True))
    for k, end in enumerate(np.cumsum(counts)):
        part = slice(end - counts[k], end)
        what = f"episode {k}"
        demos._check_actions(actions[part], what)
        demos._append(
            envs[env_of[k]],
            int(seeds[k]),
            [said[number] for number in sentence[part]],
            actions[part],
            frames[part],
            None if states is None else demos._states(list(states[part]), what),
            [_decompressed(frame, what) for frame in frames[part]],
        )
    for number, (name, sentences) in enumerate(encoders):
        demos.tokens[name] = _tokens(tables, f"tokens/{number}", sentences)
    return demos


def _texts(texts: Any) -> tuple[str, list[str], list[str], list[tuple[str, list[str]]]]:
    """obs_mode, envs, sentences, and for each encoder the sentences that it has tokens of."""
    try:
        encoders = [(name, sentences) for name, sentences in texts["encoders"]]
        lists = [texts["envs"], texts["said"], *(sentences for _, sentences in encoders)]
        strings = [texts["obs_mode"], *(name for name, _ in encoders), *itertools.chain(*lists)]
    except (TypeError, LookupError, ValueError) as error:
        raise AgentsError("its texts are not laid out as they should be") from error
    if not all(isinstance(each, list) for each in lists) or not all(
        isinstance(each, str) for each in strings
    ):
        raise AgentsError("one of its texts is no text")
    return texts["obs_mode"], texts["envs"], texts["said"], encoders


def _table(tables: Tables, name: str, dtype: str, shape: tuple[int | None, ...]) -> NDArray[Any]:
    """One array of the dtype and shape that it must have; None is any length."""
    table = tables.get(name)
    if (
        table is None
        or table.dtype != np.dtype(dtype)
        or table.ndim != len(shape)
        or any(n not in (None, m) for n, m in zip(shape, table.shape, strict=True))
    ):
        raise AgentsError(f"{name} is {_said(table)}, not {np.dtype(dtype)} {shape}")
    return table


def _indices(tables: Tables, name: str, count: int, below: int) -> list[int]:
    table = _table(tables, name, "i8", (count,))
    if ((table < 0) | (table >= below)).any():
        raise AgentsError(f"{name} has a number that is not from 0 to {below - 1}")
    return [int(number) for number in table]


def _blobs(tables: Tables, name: str, count: int) -> list[bytes]:
    data = _table(tables, name, "u1", (None,)).tobytes()
    sizes = _table(tables, f"{name}_bytes", "i8", (count,))
    if (sizes < 0).any() or (sizes > len(data)).any() or sizes.sum() != len(data):
        raise AgentsError(f"{name}_bytes does not add up to the {len(data)} bytes of {name}")
    ends = np.cumsum(sizes)
    return [data[end - size : end] for end, size in zip(ends, sizes, strict=True)]


def _decompressed(frame: tuple[bytes, bytes], what: str) -> tuple[bytes, bytes]:
    """The bytes of color and height, never more than there may be."""
    raw = []
    for name, data, size in zip(
        ("color", "height"), frame, (_COLOR_BYTES, _HEIGHT_BYTES), strict=True
    ):
        unpacking = zlib.decompressobj()
        try:
            raw.append(unpacking.decompress(data, size + 1))
        except zlib.error as error:
            raise AgentsError(f"{what}: a picture is damaged ({error})") from error
        if len(raw[-1]) != size or not unpacking.eof:
            raise AgentsError(f"{what}: {name} does not have {size} bytes")
    return raw[0], raw[1]


def _tokens(tables: Tables, name: str, sentences: Sequence[str]) -> dict[str, NDArray[Any]]:
    """The tokens of each sentence, (L, width) float16 or (L,) int64."""
    values = tables.get(f"{name}/values")
    if values is None or (str(values.dtype), values.ndim) not in (("float16", 2), ("int64", 1)):
        raise AgentsError(f"{name}/values is {_said(values)}, not float16 (n, width) or int64 (n,)")
    counts = _table(tables, f"{name}/count", "i8", (len(sentences),))
    if (counts < 0).any() or (counts > len(values)).any() or counts.sum() != len(values):
        raise AgentsError(f"{name}/count does not add up to {len(values)}")
    if not np.isfinite(values).all():
        raise AgentsError(f"{name}/values has a number that is not finite")
    return dict(zip(sentences, np.split(values, np.cumsum(counts)[:-1]), strict=True))
