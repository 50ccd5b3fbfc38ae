"""Behaviour cloning from the state: a multi-layer perceptron from a vector to the six numbers.

It does not read the instruction: the state marks the items and the places of the current goal.
Scenes are turned and shifted in training, as those of the image policies are.
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

from agents.data.augment import Motion, Table, draw
from agents.options import check_range
from agents.policies.base import About, Array, Learner
from gensim_envs import StateLayout

if TYPE_CHECKING:
    from agents.data.demos import Demos, Sample

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
    """Error, of half the table's longer side or of a sine, up to which the loss is quadratic;
    beyond it is linear, so that where demonstrations disagree it seeks the median."""
    augment: bool = True
    """Whether scenes are turned and shifted in training; states of other suites never are."""

    def __post_init__(self) -> None:
        check_range(self, 1, math.inf, "width", "depth")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout is {self.dropout}; give 0 or more and less than 1")
        if not 0 < self.delta < math.inf:
            raise ValueError(f"delta is {self.delta}; give more than 0")


class BCState(Learner):
    """Regresses x and y of pick and place, and sine and cosine of the turn between them."""

    obs_mode = "state"
    language = False
    Config = Options
    run = {"steps": 6000, "batch_size": 64, "validate_every": 2000}

    mean: Tensor
    spread: Tensor

    def __init__(self, config: Options, about: About) -> None:
        super().__init__(config, about)
        (size,) = about.observation["state"]
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("spread", torch.ones(size))
        self.table = Table.of(about)
        layers: list[nn.Module] = []
        for _ in range(config.depth):
            layers += [nn.Linear(size, 2 * config.width), nn.GLU(), nn.Dropout(config.dropout)]
            size = config.width
        self.net = nn.Sequential(*layers, nn.Linear(size, 6))

    def measure(self, demos: Demos) -> None:
        """Takes the mean and the spread of each entry of the state."""
        rng = np.random.default_rng(0)  # of motions of which only the spread is taken
        states = self.prepare(list(demos), [], rng, train=True)["state"]
        self.mean.copy_(states.mean(0))
        self.spread.copy_(states.std(0, correction=0).clamp(min=_LEAST_SPREAD))

    def prepare(
        self, samples: list[Sample], tokens: list[Array], rng: np.random.Generator, train: bool
    ) -> dict[str, Tensor]:
        """`state` (B, n) and `target` (B, 6), of `Table.encode`."""
        states, actions = _states(samples), np.stack([s.action for s in samples])
        if train and self.config.augment and self.about.state_bounds:
            motions = [draw(self.table, action, rng) for action in actions]
            states = _moved(states, StateLayout.of(self.about.state_bounds), self.table, motions)
            moved = [m.action(self.table, a) for m, a in zip(motions, actions, strict=True)]
            actions = np.stack(moved)
        target = torch.from_numpy(self.table.encode(actions))
        return {"state": torch.from_numpy(states), "target": target}

    def loss(self, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Huber's loss of the six outputs; `pick` and `place` are mean errors, metres."""
        outputs, target = self._outputs(batch["state"]), batch["target"]  # (B, 6)
        loss = nn.functional.huber_loss(outputs, target, delta=self.config.delta)
        with torch.no_grad():
            error = (outputs - target)[:, :4].reshape(-1, 2, 2).norm(dim=-1)
            pick, place = error.mean(0) * self.table.unit
        return loss, {"pick": pick, "place": place}

    def predict(self, observation: Mapping[str, Array], tokens: Array) -> NDArray[np.float32]:
        """(6,) the action in a state."""
        state = torch.from_numpy(np.asarray(observation["state"], np.float32)).to(self.device)
        with torch.inference_mode():
            outputs = self._outputs(state[None]).cpu().numpy()
        return self.clipped(self.table.decode(outputs)[0])

    def _outputs(self, state: Tensor) -> Tensor:
        """(B, 6) from (B, n). In float32: bfloat16 would round a place by 2 mm."""
        with torch.autocast(state.device.type, enabled=False):
            outputs: Tensor = self.net((state - self.mean) / self.spread)
        return outputs


def _states(samples: list[Sample]) -> NDArray[np.float32]:
    """(B, n)."""
    return np.stack([s.state for s in samples if s.state is not None])


def _moved(
    states: NDArray[np.float32], layout: StateLayout, table: Table, motions: list[Motion]
) -> NDArray[np.float32]:
    """State vectors (B, n) of scenes that are moved."""
    states = states.copy()
    # As complex numbers, which a product rotates.
    spin = np.exp([[1j * motion.turn] for motion in motions])
    shift = np.array([[complex(*motion.shift)] for motion in motions])
    middle = complex(*table.middle)
    for block in (layout.items, layout.targets):
        present = block.field(states, "present")[..., 0]  # 0 or 1
        position, yaw = block.field(states, "position"), block.field(states, "yaw")
        point = position[..., 0] + 1j * position[..., 1]
        point = ((point - middle) * spin + middle + shift) * present
        heading = (yaw[..., 1] + 1j * yaw[..., 0]) * spin
        position[..., 0], position[..., 1] = point.real, point.imag
        yaw[..., 0], yaw[..., 1] = heading.imag, heading.real
    return states
