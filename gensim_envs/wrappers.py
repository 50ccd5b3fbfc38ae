"""Wrappers for learners; Gymnasium's own do the rest."""

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

from gensim_envs.envs.tabletop import TabletopEnv, check_action
from gensim_envs.sim.views import SHAPE, pixel_of_xy, xy_of_pixel
from gensim_envs.task.pose import wrap
from gensim_envs.task.spec import MAX_SENTENCE

Encoder = Callable[[str], ArrayLike]

TURNS = 36
"""Headings of a discrete action: steps of 10 degrees."""
HASHED = 128
"""Numbers in a hashed sentence."""

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
            raise ValueError("the observation has an instruction already; one wrapper is enough")
        self.observation_space = spaces.Dict({**parts, "instruction": space})

    def observation(self, observation: Any) -> dict[str, Any]:
        """The observation with its instruction."""
        parts = observation if isinstance(observation, dict) else {"state": observation}
        text: str = self.env.get_wrapper_attr("instruction")
        return {**parts, "instruction": self._written(text)}

    def _written(self, sentence: str) -> NDArray[Any]:
        raise NotImplementedError


class InstructionObservation(_Instruction):
    """Adds the current instruction to the observation, as bytes of UTF-8 padded with zeros.

    The observation becomes a Dict with the key "instruction", (300,) uint8, beside the keys it had;
    a vector goes under the key "state". Unlike a Text space this passes unharmed through the
    shared memory of asynchronous vector envs. `decode` turns it back into a sentence.

    Args:
        env: an env of this suite.

    Raises:
        TypeError: where it is another one.
        ValueError: where its observation has an instruction already.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        RecordConstructorArgs.__init__(self)
        super().__init__(env, spaces.Box(0, 255, (MAX_SENTENCE,), np.uint8))

    def _written(self, sentence: str) -> NDArray[np.uint8]:
        padded = np.zeros(MAX_SENTENCE, np.uint8)
        data = sentence.encode()
        padded[: len(data)] = np.frombuffer(data, np.uint8)
        return padded


def decode(instruction: NDArray[np.uint8]) -> str:
    """The sentence in an "instruction" observation, (300,) uint8."""
    return bytes(instruction).rstrip(b"\0").decode()


class InstructionEmbedding(_Instruction):
    """Adds the current instruction to the observation, as a vector of unit length.

    The observation becomes a Dict with the key "instruction", (d,) float32, beside the keys it had;
    a vector goes under the key "state". Each sentence is encoded once.

    Args:
        env: an env of this suite.
        encode: sentence -> (d,) numbers, such as a language model's embedding; they are scaled to
            unit length. None means `hash_words`.

    Raises:
        TypeError: where it is another env.
        ValueError: where its observation has an instruction already, or `encode` gives something
            other than the same number of finite numbers each time.
    """

    def __init__(self, env: gym.Env[Any, Any], encode: Encoder | None = None) -> None:
        RecordConstructorArgs.__init__(self, _disable_deepcopy=True, encode=encode)
        self._encode = lru_cache(maxsize=1000)(partial(_unit, encode or hash_words))
        self._size = self._encode(_EXAMPLE).size
        super().__init__(env, spaces.Box(-1.0, 1.0, (self._size,), np.float32))

    def _written(self, sentence: str) -> NDArray[np.float32]:
        vector = self._encode(sentence)
        if vector.size != self._size:
            raise ValueError(
                f"encode gave {vector.size} numbers for {sentence!r} and {self._size} for "
                f"{_EXAMPLE!r}; every sentence needs as many"
            )
        return vector.copy()


def _unit(encode: Encoder, sentence: str) -> NDArray[np.float32]:
    """The encoded sentence, scaled to unit length; zeros stay zeros."""
    vector = np.asarray(encode(sentence), dtype=np.float64)
    if vector.ndim != 1 or not vector.size or not np.isfinite(vector).all():
        raise ValueError(
            f"encode gave an array of shape {vector.shape} for {sentence!r}; it must be a vector "
            "of finite numbers"
        )
    return (vector / (np.linalg.norm(vector) or 1.0)).astype(np.float32)


def hash_words(sentence: str) -> NDArray[np.float32]:
    """A sentence as (128,) numbers, without a model: its words and neighbouring pairs, hashed.

    Each word or pair adds 1 or -1 to one entry; its hash says which (feature hashing, Weinberger et
    al. 2009, arXiv 0902.2206). Equal sentences are equal in any process, and sentences that share
    words are near each other. It knows no meanings: a synonym or a colour that was never seen in
    training is as foreign as any other word.
    """
    words = re.findall(r"\w+", sentence.lower())
    counts = np.zeros(HASHED, np.float32)
    for each in words + [f"{a} {b}" for a, b in pairwise(words)]:
        digest = hashlib.blake2b(each.encode(), digest_size=4).digest()
        half, sign = divmod(int.from_bytes(digest, "little"), 2)
        counts[half % HASHED] += 1 if sign else -1
    return counts


class HeightImage(gym.ObservationWrapper[Any, Any, Any], RecordConstructorArgs):
    """Turns "height" into a picture, (160, 320, 1) uint8: whole millimetres, at most 255.

    Image encoders, Stable-Baselines3's among them, take uint8 pictures with channels.

    Args:
        env: an env with obs_mode="rgbd".

    Raises:
        ValueError: where the observation has no height.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        RecordConstructorArgs.__init__(self)
        super().__init__(env)
        inner = env.observation_space
        if not isinstance(inner, spaces.Dict) or "height" not in inner.spaces:
            raise ValueError(f"{env} observes no height; make it with obs_mode='rgbd'")
        image = spaces.Box(0, 255, (*SHAPE, 1), np.uint8)
        self.observation_space = spaces.Dict({**inner.spaces, "height": image})

    def observation(self, observation: Any) -> dict[str, Any]:
        """The observation with its height as a picture."""
        millimetres = np.clip(np.rint(observation["height"] * 1000), 0, 255)
        return {**observation, "height": millimetres.astype(np.uint8)[..., np.newaxis]}


class PixelAction(gym.ActionWrapper[Any, Any, Any], RecordConstructorArgs):
    """Actions as pixels of the view from above, and headings in equal steps.

    The action space becomes MultiDiscrete([160, 320, turns, 160, 320, turns]): pick row, column and
    turn, place row, column and turn. `pixels_to_action` says what they mean.

    Args:
        env: an env of this suite.
        turns: headings in a full turn.

    Raises:
        TypeError: where its actions are not those of this suite.
        ValueError: where `turns` is not at least 1.
    """

    def __init__(self, env: gym.Env[Any, Any], turns: int = TURNS) -> None:
        RecordConstructorArgs.__init__(self, turns=turns)
        super().__init__(env)
        inner = env.unwrapped
        if not isinstance(inner, TabletopEnv) or env.action_space != inner.action_space:
            raise TypeError(f"{env} does not take this suite's actions; wrap it before others do")
        self.turns = turns
        self.action_space = _pixels(turns)

    def action(self, action: Any) -> NDArray[np.float32]:
        """Metres and radians."""
        return pixels_to_action(action, self.turns)


def _pixels(turns: int) -> spaces.MultiDiscrete:
    if turns < 1:
        raise ValueError(f"turns is {turns}; a full turn has at least 1")
    return spaces.MultiDiscrete([*SHAPE, turns] * 2)


def pixels_to_action(pixels: ArrayLike, turns: int = TURNS) -> NDArray[np.float32]:
    """The middle of a pick and a place pixel, and their headings, as an action.

    Args:
        pixels: (6,) pick row, column and turn, place row, column and turn. A turn counts steps of
            2 pi / `turns` from heading 0.
        turns: headings in a full turn.

    Returns:
        (6,) pick x, pick y, pick yaw, place x, place y, place yaw; metres and radians.

    Raises:
        ValueError: naming what is out of range.
    """
    space = _pixels(turns)
    values = np.asarray(pixels)
    if not np.issubdtype(values.dtype, np.integer) or not space.contains(values.astype(np.int64)):
        raise ValueError(f"{values.tolist()} is not in {space}: pick row, column, turn; place ...")
    action: list[float] = []
    for row, column, turn in values.reshape(2, 3):
        action += [*xy_of_pixel(row, column), wrap(turn * math.tau / turns)]
    return np.array(action, np.float32)


def action_to_pixels(action: ArrayLike, turns: int = TURNS) -> NDArray[np.int64]:
    """The pixels and nearest headings of an action, such as the oracle's: labels for a classifier.

    What `pixels_to_action` makes of them is at most half a pixel (1.6 mm) along x and y and half a
    step of heading away.

    Args:
        action: (6,) pick x, pick y, pick yaw, place x, place y, place yaw; metres and radians.
        turns: headings in a full turn.

    Returns:
        (6,) pick row, column and turn, place row, column and turn.

    Raises:
        ValueError: naming the component that is not a number in its range.
    """
    pixels: list[int] = []
    for x, y, yaw in check_action(action).reshape(2, 3):
        pixels += [*pixel_of_xy(x, y), round(yaw / math.tau * turns) % turns]
    return np.array(pixels, np.int64)
