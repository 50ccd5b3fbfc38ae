"""Wrappers that adapt observations and actions to learning libraries."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable
from functools import lru_cache, partial
from itertools import pairwise
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs
from numpy.typing import ArrayLike, NDArray

from gensim_envs.envs.action import check_action
from gensim_envs.envs.state_layout import StateLayout
from gensim_envs.envs.tabletop import TabletopEnv
from gensim_envs.sim.views import SHAPE, pixel_of_xy, xy_of_pixel
from gensim_envs.task.pose import wrap
from gensim_envs.task.spec import MAX_SENTENCE

Encoder = Callable[[str], ArrayLike]

ROTATIONS = 36
"""Number of rotations of a discrete action, in steps of 10 degrees."""
HASH_SIZE = 128
"""Entries of a hashed instruction."""

_EXAMPLE = "put the red block into the blue bowl"


class _Instruction(gym.ObservationWrapper[Any, Any, Any], RecordConstructorArgs):
    """Adds the current instruction to the observation under the key "instruction"."""

    def __init__(self, env: gym.Env[Any, Any], space: spaces.Box) -> None:
        super().__init__(env)
        if not isinstance(env.unwrapped, TabletopEnv):
            raise TypeError(f"{env.unwrapped} has no instruction; wrap an env of this suite")
        inner = env.observation_space
        parts = dict(inner.spaces) if isinstance(inner, spaces.Dict) else {"state": inner}
        if "instruction" in parts:
            raise ValueError(
                "the observation already has an instruction; use only one of these wrappers"
            )
        self.observation_space = spaces.Dict({**parts, "instruction": space})

    def observation(self, observation: Any) -> dict[str, Any]:
        """The observation with its instruction."""
        parts = observation if isinstance(observation, dict) else {"state": observation}
        text: str = self.env.get_wrapper_attr("instruction")
        return {**parts, "instruction": self._encoded(text)}

    def _encoded(self, instruction: str) -> NDArray[Any]:
        raise NotImplementedError


class InstructionObservation(_Instruction):
    """Adds the current instruction to the observation, as bytes of UTF-8 padded with zeros.

    The observation becomes a Dict with the additional key "instruction", (300,) uint8; a vector
    gets the key "state". Unlike a Text space, this survives the shared memory of asynchronous
    vector envs. `decode` converts it back to a string.

    Args:
        env: an env of this suite.

    Raises:
        TypeError: it is not an env of this suite.
        ValueError: its observation already has an instruction.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        RecordConstructorArgs.__init__(self)
        super().__init__(env, spaces.Box(0, 255, (MAX_SENTENCE,), np.uint8))

    def _encoded(self, instruction: str) -> NDArray[np.uint8]:
        padded = np.zeros(MAX_SENTENCE, np.uint8)
        data = instruction.encode()
        padded[: len(data)] = np.frombuffer(data, np.uint8)
        return padded


def decode(instruction: NDArray[np.uint8]) -> str:
    """The instruction in an "instruction" observation, (300,) uint8."""
    return bytes(instruction).rstrip(b"\0").decode()


class InstructionEmbedding(_Instruction):
    """Adds the current instruction to the observation, as a vector of unit length.

    The observation becomes a Dict with the additional key "instruction", (d,) float32; a vector
    gets the key "state". Each instruction is encoded once.

    Args:
        env: an env of this suite.
        encode: instruction -> (d,) numbers, such as a language model's embedding; they are scaled
            to unit length. None means `hash_words`.

    Raises:
        TypeError: it is not an env of this suite.
        ValueError: its observation already has an instruction, or `encode` does not return a vector
            of finite numbers of always the same size.
    """

    def __init__(self, env: gym.Env[Any, Any], encode: Encoder | None = None) -> None:
        RecordConstructorArgs.__init__(self, _disable_deepcopy=True, encode=encode)
        self._encode = lru_cache(maxsize=1000)(partial(_unit, encode or hash_words))
        self._size = self._encode(_EXAMPLE).size
        super().__init__(env, spaces.Box(-1.0, 1.0, (self._size,), np.float32))

    def _encoded(self, instruction: str) -> NDArray[np.float32]:
        vector = self._encode(instruction)
        if vector.size != self._size:
            raise ValueError(
                f"encode returned {vector.size} numbers for {instruction!r} and {self._size} for "
                f"{_EXAMPLE!r}; the size must not change"
            )
        return vector.copy()


def _unit(encode: Encoder, instruction: str) -> NDArray[np.float32]:
    """The encoded instruction, scaled to unit length; zeros stay zeros."""
    vector = np.asarray(encode(instruction), dtype=np.float64)
    if vector.ndim != 1 or not vector.size or not np.isfinite(vector).all():
        raise ValueError(
            f"encode returned an array of shape {vector.shape} for {instruction!r}; it must return "
            "a vector of finite numbers"
        )
    return (vector / (np.linalg.norm(vector) or 1.0)).astype(np.float32)


def hash_words(instruction: str) -> NDArray[np.float32]:
    """Hash the words of an instruction and its pairs of neighbouring words, without a model.

    Each word or pair adds 1 or -1 to one of 128 entries, both chosen by its hash (feature hashing,
    Weinberger et al. 2009, arXiv 0902.2206). Equal instructions are equal in every process, and
    instructions that share words are near each other. Meanings are unknown: a synonym, or a colour
    that was not in training, is as different as any other word.

    Returns:
        (128,) float32.
    """
    words = re.findall(r"\w+", instruction.lower())
    counts = np.zeros(HASH_SIZE, np.float32)
    for each in words + [f"{a} {b}" for a, b in pairwise(words)]:
        digest = hashlib.blake2b(each.encode(), digest_size=4).digest()
        half, sign = divmod(int.from_bytes(digest, "little"), 2)
        counts[half % HASH_SIZE] += 1 if sign else -1
    return counts


class HeightImage(gym.ObservationWrapper[Any, Any, Any], RecordConstructorArgs):
    """Converts "height" to an image, (160, 320, 1) uint8: whole millimetres, at most 255.

    Image encoders, such as Stable-Baselines3's, take uint8 images with channels.

    Args:
        env: an env with obs_mode="rgbd".

    Raises:
        ValueError: the observation has no height.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        RecordConstructorArgs.__init__(self)
        super().__init__(env)
        inner = env.observation_space
        if not isinstance(inner, spaces.Dict) or "height" not in inner.spaces:
            raise ValueError(
                f"the observation of {env} has no height; make it with obs_mode='rgbd'"
            )
        image = spaces.Box(0, 255, (*SHAPE, 1), np.uint8)
        self.observation_space = spaces.Dict({**inner.spaces, "height": image})

    def observation(self, observation: Any) -> dict[str, Any]:
        """The observation with its height as an image."""
        millimetres = np.clip(np.rint(observation["height"] * 1000), 0, 255)
        return {**observation, "height": millimetres.astype(np.uint8)[..., np.newaxis]}


class PixelAction(gym.ActionWrapper[Any, Any, Any], RecordConstructorArgs):
    """Makes actions discrete: pixels of the view from above, and rotations in equal steps.

    The action space becomes MultiDiscrete([160, 320, rotations, 160, 320, rotations]): row, column
    and rotation of the pick, then of the place; see `pixels_to_action`.

    Args:
        env: an env of this suite.
        rotations: number of steps in 360 degrees.

    Raises:
        TypeError: its actions are not those of this suite.
        ValueError: `rotations` is below 1.
    """

    def __init__(self, env: gym.Env[Any, Any], rotations: int = ROTATIONS) -> None:
        RecordConstructorArgs.__init__(self, rotations=rotations)
        super().__init__(env)
        inner = env.unwrapped
        if not isinstance(inner, TabletopEnv) or env.action_space != inner.action_space:
            raise TypeError(
                f"{env} does not take this suite's actions; apply PixelAction before other wrappers"
            )
        self.rotations = rotations
        self.action_space = _pixels(rotations)

    def action(self, action: Any) -> NDArray[np.float32]:
        """The action in metres and radians."""
        return pixels_to_action(action, self.rotations)


def _pixels(rotations: int) -> spaces.MultiDiscrete:
    if rotations < 1:
        raise ValueError(f"rotations is {rotations}; use at least 1")
    return spaces.MultiDiscrete([*SHAPE, rotations] * 2)


def pixels_to_action(pixels: ArrayLike, rotations: int = ROTATIONS) -> NDArray[np.float32]:
    """Convert pixels and rotations to an action at the pixels' centres.

    Args:
        pixels: (6,) row, column and rotation of the pick, then of the place. A rotation counts
            steps of 2 pi / `rotations` from yaw 0.
        rotations: number of steps in 360 degrees.

    Returns:
        (6,) pick x, pick y, pick yaw, place x, place y, place yaw; metres and radians.

    Raises:
        ValueError: a number is out of range.
    """
    space = _pixels(rotations)
    values = np.asarray(pixels)
    if not np.issubdtype(values.dtype, np.integer) or not space.contains(values.astype(np.int64)):
        raise ValueError(f"{values.tolist()} is not in {space}: pick row, column, rotation; place")
    action: list[float] = []
    for row, column, rotation in values.reshape(2, 3):
        action += [*xy_of_pixel(row, column), wrap(rotation * math.tau / rotations)]
    return np.array(action, np.float32)


def action_to_pixels(action: ArrayLike, rotations: int = ROTATIONS) -> NDArray[np.int64]:
    """Convert an action, such as the oracle's, to the nearest pixels and rotations.

    `pixels_to_action` returns an action that differs by at most half a pixel (1.6 mm) along x and y
    and half a step of rotation.

    Args:
        action: (6,) pick x, pick y, pick yaw, place x, place y, place yaw; metres and radians.
        rotations: number of steps in 360 degrees.

    Returns:
        (6,) row, column and rotation of the pick, then of the place.

    Raises:
        ValueError: a component is not a number in its range.
    """
    pixels: list[int] = []
    for x, y, yaw in check_action(action).reshape(2, 3):
        pixels += [*pixel_of_xy(x, y), round(yaw / math.tau * rotations) % rotations]
    return np.array(pixels, np.int64)


class ChooseThings(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Makes actions choices among things and places, for learning from reward.

    Of uniformly drawn actions hardly one in a hundred picks anything. A choice of an item to pick,
    and of where to put it, always does. The action space becomes MultiDiscrete([items, items +
    places + targets]): the row of an item in the privileged state vector, and the row of an item,
    a place or a target of the goal that it is put at; see `choice_to_action`. A choice that names
    an empty row moves nothing.

    Args:
        env: an env of this suite with `obs_mode="state"` and `privileged=True`.

    Raises:
        TypeError: it has no privileged state vectors, or does not take this suite's actions.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        RecordConstructorArgs.__init__(self)
        super().__init__(env)
        inner = env.unwrapped
        if not isinstance(inner, TabletopEnv) or env.action_space != inner.action_space:
            raise TypeError(
                f"{env} does not take this suite's actions; apply ChooseThings before others"
            )
        if env.observation_space != inner.observation_space or not inner.state_layout.targets.rows:
            raise TypeError(f'{env} needs obs_mode="state" and privileged=True')
        self._layout = inner.state_layout
        self.action_space = choices(self._layout)
        assert isinstance(inner.action_space, spaces.Box)
        low, high = inner.action_space.low, inner.action_space.high
        self._nothing = np.tile((low[:3] + high[:3]) / 2, 2).astype(np.float32)
        self._bounds = low, high

    def reset(self, **options: Any) -> tuple[Any, dict[str, Any]]:
        """See `gymnasium.Env`."""
        self._state, info = self.env.reset(**options)
        return self._state, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """See `gymnasium.Env`."""
        chosen = choice_to_action(action, self._state, self._layout)
        moved = self._nothing if chosen is None else np.clip(chosen, *self._bounds)
        self._state, *rest = self.env.step(moved)
        return self._state, *rest


def choices(layout: StateLayout) -> spaces.MultiDiscrete:
    """The action space of `ChooseThings` for a privileged state vector."""
    rows = [block.rows for block in (layout.items, layout.places, layout.targets)]
    return spaces.MultiDiscrete([rows[0], sum(rows)])


def choice_to_action(
    choice: ArrayLike, state: NDArray[Any], layout: StateLayout
) -> NDArray[np.float32] | None:
    """Convert a choice of rows to an action.

    Args:
        choice: (2,) the row of an item, and the row of an item, a place or a target.
        state: the privileged state vector.
        layout: of that vector.

    Returns:
        (6,) the action that puts the item there, turned as that row lies; None if one of the rows
        is empty.
    """
    blocks = layout.items, layout.places, layout.targets
    rows = np.asarray(choice, np.int64)
    present, position, yaw = (
        np.concatenate([block.field(state, name) for block in blocks])[rows]
        for name in ("present", "position", "yaw")
    )
    if not present.all():
        return None
    heading = np.arctan2(yaw[:, 0], yaw[:, 1])
    turn = wrap(float(heading[1] - heading[0]))
    return np.array([*position[0, :2], 0, *position[1, :2], turn], np.float32)
