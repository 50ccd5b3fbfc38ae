"""How demonstrations lie in a file: texts as one JSON value, all else as arrays.

Arrays refer to texts by number, and every array is checked as it is read.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.data.episodes import Episode, Floats, Pair, said
from agents.data.hdf5 import Tables, pack, unpack
from agents.errors import AgentsError

FORMAT = "gensim-envs demonstrations, version 1"

Tokens = dict[str, dict[str, NDArray[Any]]]


@dataclass(frozen=True)
class Content:
    """What is in a file.

    Attributes:
        obs_mode: "rgbd" or "state".
        action_low: (6,) bounds of actions.
        action_high: (6,) bounds of actions.
        episodes: in their order.
        tokens: name of an encoder -> sentence -> its tokens.
        state_bounds: most of each kind of thing that a state has room for; empty where not known.
    """

    obs_mode: str
    action_low: Floats
    action_high: Floats
    episodes: Sequence[Episode]
    tokens: Tokens
    state_bounds: dict[str, int]


def to_bytes(content: Content) -> bytes:
    """The bytes of a file."""
    episodes = content.episodes
    envs = _once(episode.env for episode in episodes)
    sentences = _once(s for episode in episodes for s in episode.instructions)
    tables: Tables = {
        "action_bounds": np.stack([content.action_low, content.action_high]),
        "episode/env": _integers(envs[episode.env] for episode in episodes),
        "episode/seed": _integers(episode.seed for episode in episodes),
        "episode/steps": _integers(len(episode.actions) for episode in episodes),
        "step/action": np.concatenate(
            [np.empty((0, 6), np.float32), *(e.actions for e in episodes)]
        ),
        "step/instruction": _integers(sentences[s] for e in episodes for s in e.instructions),
    }
    if content.obs_mode == "state":
        states = [episode.states for episode in episodes if episode.states is not None]
        tables["step/state"] = np.concatenate(states or [np.empty((0, 1), np.float32)])
    else:
        frames = [frame for episode in episodes for frame in episode.frames]
        for column, name in enumerate(("color", "height")):
            tables[f"step/{name}"] = np.frombuffer(b"".join(f[column] for f in frames), np.uint8)
            tables[f"step/{name}_bytes"] = _integers(len(frame[column]) for frame in frames)
    filled = {name: known for name, known in content.tokens.items() if known}
    for number, known in enumerate(filled.values()):
        tables[f"tokens/{number}/values"] = np.concatenate(list(known.values()))
        tables[f"tokens/{number}/count"] = _integers(map(len, known.values()))
    texts = {
        "obs_mode": content.obs_mode,
        "envs": list(envs),
        "said": list(sentences),
        "encoders": [[name, list(known)] for name, known in filled.items()],
        "state_bounds": content.state_bounds,
    }
    return pack(FORMAT, texts, tables)


def from_bytes(data: bytes) -> Content:
    """What `to_bytes` was given.

    Raises:
        AgentsError: saying what is wrong with the bytes.
    """
    texts, tables = unpack(FORMAT, data)
    obs_mode, envs, sentences, encoders = _texts(texts)
    low, high = _table(tables, "action_bounds", "f4", (2, 6))
    counts = _table(tables, "episode/steps", "i8", (None,))
    steps = len(_table(tables, "step/action", "f4", (None, 6)))
    if (counts < 1).any() or (counts > steps).any() or counts.sum() != steps:
        raise AgentsError(f"episode/steps does not add up to {steps}")
    tokens = {
        name: _tokens(tables, f"tokens/{number}", told)
        for number, (name, told) in enumerate(encoders)
    }
    episodes = _episodes(tables, obs_mode, envs, sentences, counts)
    return Content(obs_mode, low, high, episodes, tokens, _bounds(texts))


def _episodes(
    tables: Tables, obs_mode: str, envs: list[str], sentences: list[str], counts: NDArray[np.int64]
) -> list[Episode]:
    steps = int(counts.sum())
    env_of = _indices(tables, "episode/env", len(counts), len(envs))
    seeds = _table(tables, "episode/seed", "i8", (len(counts),))
    sentence = _indices(tables, "step/instruction", steps, len(sentences))
    actions = _table(tables, "step/action", "f4", (steps, 6))
    states: Floats | None = None
    frames: list[Pair] = []
    if obs_mode == "state":
        states = _table(tables, "step/state", "f4", (steps, None))
    else:
        colors, heights = (_blobs(tables, f"step/{name}", steps) for name in ("color", "height"))
        frames = list(zip(colors, heights, strict=True))
    episodes = []
    for k, end in enumerate(np.cumsum(counts)):
        part = slice(end - counts[k], end)
        episodes.append(
            Episode.made(
                envs[env_of[k]],
                int(seeds[k]),
                [sentences[number] for number in sentence[part]],
                actions[part],
                frames[part],
                None if states is None else states[part],
            )
        )
    return episodes


def _once(values: Iterable[str]) -> dict[str, int]:
    """Each value once, with its number."""
    return {value: k for k, value in enumerate(dict.fromkeys(values))}


def _integers(values: Iterable[int]) -> NDArray[np.int64]:
    return np.array(list(values), np.int64)


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


def _bounds(texts: Any) -> dict[str, int]:
    """Of the state vectors; files of earlier versions do not have them."""
    bounds = texts.get("state_bounds", {})
    if not isinstance(bounds, dict) or not all(type(most) is int for most in bounds.values()):
        raise AgentsError("its state_bounds are no numbers of things")
    return bounds


def _table(tables: Tables, name: str, dtype: str, shape: tuple[int | None, ...]) -> NDArray[Any]:
    """One array of the dtype and shape that it must have; None is any length."""
    table = tables.get(name)
    if (
        table is None
        or table.dtype != np.dtype(dtype)
        or table.ndim != len(shape)
        or any(n not in (None, m) for n, m in zip(shape, table.shape, strict=True))
    ):
        raise AgentsError(f"{name} is {said(table)}, not {np.dtype(dtype)} {shape}")
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


def _tokens(tables: Tables, name: str, sentences: Sequence[str]) -> dict[str, NDArray[Any]]:
    """The tokens of each sentence, (L, width) float16 or (L,) int64."""
    values = tables.get(f"{name}/values")
    if values is None or (str(values.dtype), values.ndim) not in (("float16", 2), ("int64", 1)):
        raise AgentsError(f"{name}/values is {said(values)}, not float16 (n, width) or int64 (n,)")
    counts = _table(tables, f"{name}/count", "i8", (len(sentences),))
    short = (counts < 1).any() or (counts > len(values)).any()
    if short or not len(counts) or counts.sum() != len(values):
        raise AgentsError(f"{name}/count does not add up to {len(values)}")
    if not np.isfinite(values).all():
        raise AgentsError(f"{name}/values has a number that is not finite")
    return dict(zip(sentences, np.split(values, np.cumsum(counts)[:-1]), strict=True))
