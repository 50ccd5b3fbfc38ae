"""Behaviour cloning from the state: a multi-layer perceptron from a vector to the six numbers.

It does not read the instruction: the state marks the items and the places of the current goal.
Its units are gated (Dauphin et al., 2016, arXiv 1612.08083), since an item's mark decides whether
its pose counts: that is a product, which plain units learn to approximate from more demonstrations.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from agents.learner import About, Array, Learner
from agents.options import check_range

if TYPE_CHECKING:
    from agents.demos import Demos, Sample

_LEAST_SPREAD = 0.01  # of an entry that hardly varies: noise in it would become the largest input


@dataclass(frozen=True)
class Options:
    """Hyperparameters."""

    width: int = 256
    """Units in each hidden layer."""
    depth: int = 3
    """Hidden layers."""
    dropout: float = 0.1
    """Share of the hidden units that are left out in training."""
    delta: float = 0.05
    """Error, of the table's half size or of the sine of a yaw, up to which the loss is quadratic;
    beyond it is linear, so that where demonstrations disagree it seeks the median."""

    def __post_init__(self) -> None:
        check_range(self, 1, math.inf, "width", "depth")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout is {self.dropout}; give 0 or more and less than 1")
        if not 0 < self.delta < math.inf:
            raise ValueError(f"delta is {self.delta}; give more than 0")


class BCState(Learner):
    """Regresses x and y of pick and place, and sine and cosine of their yaws."""

    obs_mode = "state"
    language = False
    Config = Options
    run = {"steps": 6000, "batch_size": 64, "validate_every": 2000}

    mean: Tensor
    spread: Tensor
    middle: Tensor
    scale: Tensor

    def __init__(self, config: Options, about: About) -> None:
        super().__init__(config, about)
        (size,) = about.observation["state"]
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("spread", torch.ones(size))
        low, high = torch.tensor(about.action_low), torch.tensor(about.action_high)
        self.register_buffer("middle", (low + high) / 2, persistent=False)
        self.register_buffer("scale", (high - low) / 2, persistent=False)
        layers: list[nn.Module] = []
        for _ in range(config.depth):
            layers += [nn.Linear(size, 2 * config.width), nn.GLU(), nn.Dropout(config.dropout)]
            size = config.width
        self.net = nn.Sequential(*layers, nn.Linear(size, 8))

    def measure(self, demos: Demos) -> None:
        """Takes the mean and the spread of each entry of the state."""
        states = _states(list(demos))
        self.mean.copy_(states.mean(0))
        self.spread.copy_(states.std(0, correction=0).clamp(min=_LEAST_SPREAD))

    def prepare(
        self, samples: list[Sample], tokens: list[Array], rng: np.random.Generator, train: bool
    ) -> dict[str, Tensor]:
        """`state` (B, n) and `action` (B, 6)."""
        return {
            "state": _states(samples),
            "action": torch.from_numpy(np.stack([s.action for s in samples])),
        }

    def loss(self, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Huber's loss of the eight outputs; `metres` is the mean error of a point."""
        action = batch["action"]  # (B, 6)
        outputs = self._outputs(batch["state"])  # (B, 8)
        target = self._encoded(action)  # (B, 8)
        loss = nn.functional.huber_loss(outputs, target, delta=self.config.delta)
        with torch.no_grad():
            error = (self._decoded(outputs) - action).reshape(-1, 2, 3)[..., :2].norm(dim=-1)
        return loss, {"metres": error.mean()}

    def predict(self, observation: Mapping[str, Array], tokens: Array) -> NDArray[np.float32]:
        """(6,) the action in a state."""
        state = torch.from_numpy(np.asarray(observation["state"], np.float32)).to(self.device)
        with torch.no_grad():
            action = self._decoded(self._outputs(state[None]))[0]
        return self.clipped(action.cpu().numpy())

    def _outputs(self, state: Tensor) -> Tensor:
        """(B, 8) from (B, n). In float32: bfloat16 would round a place by 2 mm."""
        with torch.autocast(state.device.type, enabled=False):
            outputs: Tensor = self.net((state - self.mean) / self.spread)
        return outputs

    def _encoded(self, action: Tensor) -> Tensor:
        """(B, 8) from (B, 6): x and y in -1..1, sine and cosine of yaw, of pick and of place."""
        normal = (action - self.middle) / self.scale
        parts = []
        for at in (0, 3):
            yaw = action[:, at + 2]
            parts += [normal[:, at], normal[:, at + 1], yaw.sin(), yaw.cos()]
        return torch.stack(parts, dim=1)

    def _decoded(self, outputs: Tensor) -> Tensor:
        """(B, 6) from (B, 8), the inverse of `_encoded`."""
        parts = []
        for at in (0, 4):
            x, y, sine, cosine = outputs[:, at : at + 4].unbind(1)
            parts += [x, y, torch.atan2(sine, cosine)]
        normal = torch.stack(parts, dim=1)
        yaws = torch.tensor([False, False, True] * 2, device=outputs.device)
        return torch.where(yaws, normal, normal * self.scale + self.middle)


def _states(samples: list[Sample]) -> Tensor:
    """(B, n)."""
    return torch.from_numpy(np.stack([s.state for s in samples if s.state is not None]))
