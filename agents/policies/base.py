"""The policy interface, and the description that a trained policy carries.

This module imports no torch, so that scripted policies run without it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from agents.data.table import Table
from agents.errors import AgentsError
from gensim_envs.utils.decode import DecodeError, Range, Size, decode

if TYPE_CHECKING:
    import gymnasium as gym

Array = NDArray[Any]


@dataclass(frozen=True)
class PolicySpec:
    """Spaces, tasks and encoder of a trained policy, readable without the simulator."""

    policy: str
    """Name of the policy in the registry."""
    envs: tuple[str, ...]
    """Ids of the tasks that it was trained on."""
    obs_mode: str
    """"rgbd" or "state"."""
    observation: dict[str, Annotated[list[Annotated[int, Range(1, 10**6)]], Size(1, 3)]]
    """Name -> shape of each part of an observation: color and height, or state."""
    action_low: Annotated[tuple[float, ...], Size(6, 6)]
    """(6,) lower bounds of an action; those of x and y are the edges of the images."""
    action_high: Annotated[tuple[float, ...], Size(6, 6)]
    """(6,) upper bounds of an action."""
    encoder: str | None
    """The text encoder of instructions; None if the policy does not read them."""
    encoder_width: Annotated[int, Range(0, 10**6)]
    """Width of a token, or size of the vocabulary if tokens are word ids."""
    state_bounds: dict[str, int] = field(default_factory=dict)
    """Capacity of a state vector by kind of row; empty if it is what `envs` need, or
    for images."""
    encoder_fingerprint: tuple[float, ...] = ()
    """Identifies the weights of the text encoder; empty if unknown."""

    @property
    def bounds(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(6,) lower and (6,) upper bounds of an action."""
        return np.array(self.action_low, np.float32), np.array(self.action_high, np.float32)

    @property
    def table(self) -> Table:
        """The part of the table that images show."""
        low, high = self.action_low, self.action_high
        rows, columns = self.observation.get("height", (1, 1))  # a state has no pixels
        return Table((low[0], low[1]), (high[0] - low[0], high[1] - low[1]), (rows, columns))

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> PolicySpec:
        """Read a spec from the JSON object of `dataclasses.asdict(spec)`.

        Raises:
            AgentsError: if a field is missing, unknown or not of its type.
        """
        try:
            return decode(cls, value)
        except DecodeError as error:
            raise AgentsError(
                f"the spec of the checkpoint is malformed: {error}. Train it again with this "
                "version"
            ) from error

    def differences(self, other: PolicySpec) -> list[str]:
        """Fields of another spec that rule out sharing weights, as text."""
        names = ("policy", "obs_mode", "observation", "action_low", "action_high",
                 "encoder", "encoder_width")  # fmt: skip
        differ = [name for name in names if getattr(self, name) != getattr(other, name)]
        if not same_encoder(self.encoder_fingerprint, other.encoder_fingerprint):
            differ.append("encoder_fingerprint")
        return [f"{n} is {getattr(other, n)} there and {getattr(self, n)} here" for n in differ]


def same_encoder(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether two fingerprints can be of one text encoder; an unknown one, (), fits any."""
    if not one or not other:
        return True
    return len(one) == len(other) and np.allclose(one, other, rtol=0, atol=0.005)


class Policy(ABC):
    """Maps observations and instructions to actions."""

    obs_mode: ClassVar[str]
    """"rgbd" or "state"."""
    privileged: ClassVar[bool] = False
    """Whether its state vector also says what the current goal means."""
    any_rows: ClassVar[bool] = False
    """Whether it reads state vectors with any number of rows, as its weights fit each row."""
    spec: PolicySpec | None = None
    """Training specification; None for scripted policies, which ignore observations."""

    @abstractmethod
    def reset(self, env: gym.Env[Any, Any], rng: np.random.Generator) -> None:
        """Prepare for a new episode.

        Args:
            env: has just been reset.
            rng: the only source of randomness of a stochastic policy.

        Raises:
            AgentsError: if the policy cannot act in this env.
        """

    @abstractmethod
    def act(self, observation: Any, instruction: str) -> NDArray[np.float32]:
        """The next action, (6,)."""

    def heatmaps(self) -> dict[str, NDArray[np.float32]] | None:
        """Heat maps of the last action, "pick" and "place", (160, 320) each, if it has any."""
        return None
