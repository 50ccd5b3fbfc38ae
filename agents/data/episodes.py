"""Episodes as they are kept: pictures compressed, one by one, so that each can be read alone."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agents.errors import AgentsError

IMAGE = (160, 320)
"""Rows and columns of every picture."""

_HEIGHT_UNIT = 1e-4  # metres: a tenth of what the suite promises of its heights
_LEVEL = 6  # of zlib; level 9 saves 6 % and takes six times as long
_SIZES = (IMAGE[0] * IMAGE[1] * 3, IMAGE[0] * IMAGE[1] * 2)  # bytes of color and of height

Floats = NDArray[np.float32]
Pair = tuple[bytes, bytes]
"""Color and height of one step, as bytes or compressed."""


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
class Episode:
    """One episode of T steps.

    Attributes:
        env: id of the env.
        seed: with which it was reset.
        instructions: T sentences.
        actions: (T, 6).
        frames: T compressed pairs of color and height; empty where there are states.
        states: (T, n), or None.
        digest: of all the above, with the frames decompressed.
    """

    env: str
    seed: int
    instructions: tuple[str, ...]
    actions: Floats
    frames: tuple[Pair, ...]
    states: Floats | None
    digest: bytes

    @classmethod
    def of(cls, obs_mode: str, env: str, seed: int, steps: Sequence[Step]) -> Episode:
        """Compress an episode.

        Raises:
            AgentsError: where a step does not have what its mode needs.
        """
        what = f"episode {seed} of {env}"
        try:
            actions = np.array([step.action for step in steps], np.float32)
        except (TypeError, ValueError) as error:
            raise AgentsError(f"{what}: an action is not six finite numbers") from error
        said = [step.instruction for step in steps]
        if obs_mode == "state":
            states = _states([step.state for step in steps], what)
            return cls.made(env, seed, said, actions, (), states)
        raw = [_raw(step, what) for step in steps]
        frames = [
            (zlib.compress(color, _LEVEL), zlib.compress(height, _LEVEL)) for color, height in raw
        ]
        return cls.made(env, seed, said, actions, frames, None, raw)

    @classmethod
    def made(
        cls,
        env: str,
        seed: int,
        instructions: Sequence[str],
        actions: Floats,
        frames: Sequence[Pair],
        states: Floats | None,
        raw: Sequence[Pair] | None = None,
    ) -> Episode:
        """An episode of parts; `raw` are the frames decompressed, where they are at hand.

        Raises:
            AgentsError: where a part is not what it must be.
        """
        what = f"episode {seed} of {env}"
        if not instructions:
            raise AgentsError(f"{what} has no steps")
        if actions.shape[1:] != (6,) or not np.isfinite(actions).all():
            raise AgentsError(f"{what}: an action is not six finite numbers")
        if states is not None and not (states.shape[1] and np.isfinite(states).all()):
            raise AgentsError(f"{what}: a state is empty or has a number that is not finite")
        if raw is None:
            raw = [_decompressed(frame, what) for frame in frames]
        digest = hashlib.sha256(json.dumps([env, seed, list(instructions)]).encode())
        for table in (actions, states):
            if table is not None:
                digest.update(table.astype("<f4").tobytes())
        for color, height in raw:
            digest.update(color)
            digest.update(height)
        return cls(env, seed, tuple(instructions), actions, tuple(frames), states, digest.digest())

    @property
    def nbytes(self) -> int:
        """Bytes of observations and actions."""
        states = 0 if self.states is None else self.states.nbytes
        return self.actions.nbytes + states + sum(len(c) + len(h) for c, h in self.frames)

    def sample(self, number: int, step: int) -> Sample:
        """One step, decompressed, of this episode with its number."""
        color = height = state = None
        if self.states is not None:
            state = self.states[step].copy()
        else:
            color, height = _pictures(*map(zlib.decompress, self.frames[step]))
        return Sample(
            env=self.env,
            episode=number,
            step=step,
            instruction=self.instructions[step],
            action=self.actions[step].copy(),
            color=color,
            height=height,
            state=state,
        )


def _states(states: Sequence[Floats | None], what: str) -> Floats:
    widths = {None if state is None else np.shape(state) for state in states}
    if len(widths) != 1 or not all(width is not None and len(width) == 1 for width in widths):
        raise AgentsError(f"{what}: states are not vectors of one length")
    return np.array(states, np.float32)


def _raw(step: Step, what: str) -> Pair:
    """The bytes of color, and of height in tenths of a millimetre."""
    color, height = step.color, step.height
    if color is None or color.dtype != np.uint8 or color.shape != (*IMAGE, 3):
        raise AgentsError(f"{what}: color is {said(color)}, not uint8 {(*IMAGE, 3)}")
    if height is None or height.dtype.kind != "f" or height.shape != IMAGE:
        raise AgentsError(f"{what}: height is {said(height)}, not float32 {IMAGE}")
    ticks = np.round(height / _HEIGHT_UNIT)
    if not (np.abs(ticks) < 2**15).all():
        raise AgentsError(f"{what}: a height is not a number between -3.2 and 3.2 metres")
    # Low bytes first, then high bytes: that compresses better, most where things are many.
    planes = ticks.astype("<i2").view(np.uint8).reshape(-1, 2).T
    return color.tobytes(), planes.tobytes()


def _pictures(color: bytes, height: bytes) -> tuple[NDArray[np.uint8], Floats]:
    """What `_raw` was given, heights to 0.1 mm."""
    planes = np.frombuffer(height, np.uint8).reshape(2, -1).T
    ticks = np.ascontiguousarray(planes).view("<i2").reshape(IMAGE)
    picture = np.frombuffer(color, np.uint8).reshape(*IMAGE, 3).copy()
    return picture, ticks * np.float32(_HEIGHT_UNIT)


def _decompressed(frame: Pair, what: str) -> Pair:
    """The bytes of color and height, never more than there may be."""
    raw = []
    for data, size in zip(frame, _SIZES, strict=True):
        unpacking = zlib.decompressobj()
        try:
            raw.append(unpacking.decompress(data, size + 1))
        except zlib.error as error:
            raise AgentsError(f"{what}: a picture is damaged ({error})") from error
        if len(raw[-1]) != size or not unpacking.eof or unpacking.unused_data:
            raise AgentsError(f"{what}: a picture does not have {size} bytes")
    return raw[0], raw[1]


def said(array: NDArray[Any] | None) -> str:
    """What an array is, in words."""
    return "missing" if array is None else f"{array.dtype} {array.shape}"
