"""Episodes in memory: each image is compressed by itself, so that any step can be read alone."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.errors import AgentsError

IMAGE = (160, 320)
"""Rows and columns of every image."""

_HEIGHT_UNIT = 1e-4  # metres: a tenth of what the suite promises of its heights
_LEVEL = 1  # of zlib; level 6 saves a third and takes five times as long

Floats = NDArray[np.float32]
Pair = tuple[bytes, bytes]
"""Color and height of one step, as bytes or compressed."""


@dataclass(frozen=True, eq=False)
class Sample:
    """One step of a demonstration.

    Attributes:
        instruction: that the env gave before the step.
        action: (6,) pick x, pick y, pick yaw, place x, place y, place yaw; metres and radians.
        color: (160, 320, 3), if the obs_mode is "rgbd".
        height: (160, 320) metres, rounded to 0.1 mm, if it is "rgbd".
        state: (n,), if it is "state".
        answers: (k, 7) all actions that are equally good, each followed by 1 where the yaw does not
            matter, otherwise by 0; None if only `action` is known to be good.
    """

    instruction: str
    action: Floats
    color: NDArray[np.uint8] | None = None
    height: Floats | None = None
    state: Floats | None = None
    answers: Floats | None = None

    @property
    def known(self) -> Floats:
        """(k, 7) the answers that are known, k >= 1."""
        return np.append(self.action, np.float32(0))[None] if self.answers is None else self.answers


@dataclass(frozen=True, eq=False)
class PackedEpisode:
    """One episode of T steps.

    Attributes:
        env: id of the env.
        seed: with which it was reset.
        instructions: T of them.
        actions: (T, 6).
        answers: T of shape (k, 7), see `Sample`.
        frames: T compressed pairs of color and height; empty if there are states.
        states: (T, n), or None.
        digest: of all the above, with the frames decompressed.
    """

    env: str
    seed: int
    instructions: tuple[str, ...]
    actions: Floats
    answers: tuple[Floats, ...]
    frames: tuple[Pair, ...]
    states: Floats | None
    digest: bytes

    @classmethod
    def of(
        cls,
        obs_mode: str,
        env: str,
        seed: int,
        instructions: Iterable[str],
        actions: Iterable[Any],
        observations: Iterable[Any],
        answers: Iterable[Any] = (),
    ) -> PackedEpisode:
        """Check and compress an episode.

        Args:
            obs_mode: "rgbd" or "state".
            env: id of the env.
            seed: with which it was reset.
            instructions: T of them.
            actions: T of shape (6,).
            observations: T states (n,), or T pairs of color (160, 320, 3) uint8 and height
                (160, 320) float32.
            answers: T of shape (k, 7), or none if only the actions are known to be good.

        Raises:
            AgentsError: if an action or observation is not valid, or there are none.
        """
        what = f"episode {seed} of {env}"
        texts, rows = tuple(instructions), np.array(list(actions), np.float32)
        if not texts:
            raise AgentsError(f"{what} has no steps")
        if rows.shape != (len(texts), 6) or not np.isfinite(rows).all():
            raise AgentsError(f"{what}: an action is not six finite numbers")
        known = tuple(np.array(each, np.float32) for each in answers)
        if not known:
            known = tuple(np.append(row, np.float32(0))[None] for row in rows)
        if len(known) != len(texts) or not all(map(_valid, known)):
            raise AgentsError(f"{what}: its answers are not k times seven numbers for each action")
        digest = hashlib.sha256(json.dumps([env, seed, list(texts)]).encode())
        for part in (rows, *known):
            digest.update(part.astype("<f4").tobytes())
        states, frames = None, []
        if obs_mode == "state":
            states = np.array(list(observations), np.float32)
            vectors = states.ndim == 2 and states.size and len(states) == len(texts)
            if not vectors or not np.isfinite(states).all():
                raise AgentsError(f"{what}: its states are not one finite vector for each action")
            digest.update(states.astype("<f4").tobytes())
        else:
            for color, height in observations:
                raw = color.tobytes(), _pack_height(height, what)
                for data in raw:
                    digest.update(data)
                frames.append((zlib.compress(raw[0], _LEVEL), zlib.compress(raw[1], _LEVEL)))
        return cls(env, seed, texts, rows, known, tuple(frames), states, digest.digest())

    def sample(self, step: int) -> Sample:
        """One step, decompressed."""
        color = height = state = None
        if self.states is not None:
            state = self.states[step].copy()
        else:
            raw_color, raw_height = map(zlib.decompress, self.frames[step])
            color = np.frombuffer(raw_color, np.uint8).reshape(*IMAGE, 3).copy()
            height = _unpack_height(raw_height)
        action, answers = self.actions[step].copy(), self.answers[step].copy()
        return Sample(self.instructions[step], action, color, height, state, answers)


def _valid(answers: Floats) -> bool:
    return answers.ndim == 2 and answers.shape[1] == 7 and bool(np.isfinite(answers).all())


def _pack_height(height: Floats, what: str) -> bytes:
    """The bytes of heights in tenths of a millimetre."""
    ticks = np.round(height / _HEIGHT_UNIT)
    if not (np.abs(ticks) < 2**15).all():
        raise AgentsError(f"{what}: a height is not a number between -3.2 and 3.2 metres")
    # All low bytes, then all high bytes: that compresses better, most of all in crowded scenes.
    return ticks.astype("<i2").view(np.uint8).reshape(-1, 2).T.tobytes()


def _unpack_height(data: bytes) -> Floats:
    """The inverse of `_pack_height`, up to the rounding of heights."""
    planes = np.frombuffer(data, np.uint8).reshape(2, -1).T
    ticks = np.ascontiguousarray(planes).view("<i2").reshape(IMAGE)
    return ticks * np.float32(_HEIGHT_UNIT)
