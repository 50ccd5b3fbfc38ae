"""Episodes in memory: each image is compressed by itself, so that any step can be read alone."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Sequence
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
        env: id of the env.
        episode: number of the episode in its `Demonstrations`.
        step: number of the step in its episode.
        instruction: that the env gave before the step.
        action: (6,) pick x, pick y, pick yaw, place x, place y, place yaw; metres and radians.
        color: (160, 320, 3), if the obs_mode is "rgbd".
        height: (160, 320) metres, rounded to 0.1 mm, if it is "rgbd".
        state: (n,), if it is "state".
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
        instructions: T of them.
        actions: (T, 6).
        frames: T compressed pairs of color and height; empty if there are states.
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
    def of(cls, obs_mode: str, env: str, seed: int, steps: Sequence[Sample]) -> Episode:
        """Check and compress an episode.

        Args:
            obs_mode: "rgbd" or "state".
            env: id of the env.
            seed: with which it was reset.
            steps: of which observations, instructions and actions are read.

        Raises:
            AgentsError: a step lacks what its obs_mode needs.
        """
        what = f"episode {seed} of {env}"
        if not steps:
            raise AgentsError(f"{what} has no steps")
        try:
            actions = np.array([step.action for step in steps], np.float32)
        except (TypeError, ValueError) as error:
            raise AgentsError(f"{what}: an action is not six finite numbers") from error
        if actions.shape[1:] != (6,) or not np.isfinite(actions).all():
            raise AgentsError(f"{what}: an action is not six finite numbers")
        instructions = tuple(step.instruction for step in steps)
        digest = hashlib.sha256(json.dumps([env, seed, list(instructions)]).encode())
        digest.update(actions.astype("<f4").tobytes())
        states, frames = None, []
        if obs_mode == "state":
            states = _states([step.state for step in steps], what)
            digest.update(states.astype("<f4").tobytes())
        else:
            for step in steps:
                color, height = _raw(step, what)
                digest.update(color)
                digest.update(height)
                frames.append((zlib.compress(color, _LEVEL), zlib.compress(height, _LEVEL)))
        return cls(env, seed, instructions, actions, tuple(frames), states, digest.digest())

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
            color, height = _images(*map(zlib.decompress, self.frames[step]))
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
    stacked = np.array(states, np.float32)
    if not (stacked.size and np.isfinite(stacked).all()):
        raise AgentsError(f"{what}: a state is empty or has a number that is not finite")
    return stacked


def _raw(step: Sample, what: str) -> Pair:
    """The bytes of color, and of height in tenths of a millimetre."""
    color, height = step.color, step.height
    if color is None or color.dtype != np.uint8 or color.shape != (*IMAGE, 3):
        raise AgentsError(f"{what}: color is {_described(color)}, not uint8 {(*IMAGE, 3)}")
    if height is None or height.dtype.kind != "f" or height.shape != IMAGE:
        raise AgentsError(f"{what}: height is {_described(height)}, not float32 {IMAGE}")
    ticks = np.round(height / _HEIGHT_UNIT)
    if not (np.abs(ticks) < 2**15).all():
        raise AgentsError(f"{what}: a height is not a number between -3.2 and 3.2 metres")
    # All low bytes, then all high bytes: that compresses better, most of all in crowded scenes.
    planes = ticks.astype("<i2").view(np.uint8).reshape(-1, 2).T
    return color.tobytes(), planes.tobytes()


def _images(color: bytes, height: bytes) -> tuple[NDArray[np.uint8], Floats]:
    """The inverse of `_raw`, up to the rounding of heights."""
    planes = np.frombuffer(height, np.uint8).reshape(2, -1).T
    ticks = np.ascontiguousarray(planes).view("<i2").reshape(IMAGE)
    image = np.frombuffer(color, np.uint8).reshape(*IMAGE, 3).copy()
    return image, ticks * np.float32(_HEIGHT_UNIT)


def _described(array: NDArray[Any] | None) -> str:
    return "missing" if array is None else f"{array.dtype} {array.shape}"
