"""Behaviour cloning from the state: a multi-layer perceptron from the vector to the action.

The state does not say what the goal means, so that the instruction, pooled to a vector, is a part
of the input. Units are gated (Dauphin et al., 2016, arXiv 1612.08083): whether the pose of an item
matters depends on the instruction, which is a product, and plain units need more demonstrations to
approximate it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from agents.data.augment import random_motions
from agents.data.demonstrations import Demonstrations, Sample
from agents.policies.base import Array, PolicySpec
from agents.policies.learned import LearnedPolicy, pad_tokens
from agents.policies.networks import InstructionPooling
from agents.policies.rows import layout_of, move_rows
from agents.ranges import Checked, Dropout, Width
from gensim_envs.utils.decode import Range

_MIN_STD = 0.01  # of an entry that hardly varies, whose noise would become the largest input


@dataclass(frozen=True)
class BCStateConfig(Checked):
    """Hyperparameters of behaviour cloning from states."""

    option_prefix = "bc_state."

    width: Width = 256
    """Units in each hidden layer."""
    depth: Annotated[int, Range(1, 100)] = 3
    """Number of hidden layers."""
    dropout: Dropout = 0.1
    """Dropout rate of the hidden units."""
    delta: Annotated[float, Range(1e-6)] = 0.05
    """Threshold of the Huber loss, in units of the encoded action. A small one makes the network
    predict the median where demonstrations disagree."""
    augment: bool = True
    """Rotate and shift scenes in training; states of other suites never are."""


class BCState(LearnedPolicy):
    """Regresses x and y of pick and place, and sine and cosine of the rotation between them."""

    obs_mode = "state"
    config_class = BCStateConfig
    train_defaults = {"steps": 6000, "batch_size": 64, "validate_every": 2000}

    mean: Tensor
    std: Tensor

    def __init__(self, config: BCStateConfig, spec: PolicySpec) -> None:
        super().__init__(config, spec)
        (size,) = spec.observation["state"]
        self._layout = layout_of(spec)
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("std", torch.ones(size))
        self.table = spec.table
        self.instruction = InstructionPooling(spec.encoder_width, spec.encoder == "words")
        size += self.instruction.outputs
        layers: list[nn.Module] = []
        for _ in range(config.depth):
            layers += [nn.Linear(size, 2 * config.width), nn.GLU(), nn.Dropout(config.dropout)]
            size = config.width
        self.net = nn.Sequential(*layers, nn.Linear(size, 6))

    def fit_statistics(self, demos: Demonstrations) -> None:
        """Store the mean and standard deviation of each entry of the state."""
        rng = np.random.default_rng(0)  # of the augmentation
        states = torch.from_numpy(self._scenes(list(demos), rng)[0])
        self.mean.copy_(states.mean(0))
        self.std.copy_(states.std(0, correction=0).clamp(min=_MIN_STD))

    def prepare(
        self, samples: list[Sample], tokens: list[Array], rng: np.random.Generator
    ) -> dict[str, Tensor]:
        """`state` (B, n), `target` (B, 6) of `Table.encode`, `tokens` and `mask`."""
        states, actions = self._scenes(samples, rng)
        target = torch.from_numpy(self.table.encode(actions))
        return {"state": torch.from_numpy(states), "target": target, **pad_tokens(tokens)}

    def _scenes(
        self, samples: list[Sample], rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """States (B, n) and actions (B, 6), moved if the config says so."""
        states = np.stack([s.state for s in samples if s.state is not None])
        actions = np.stack([s.action for s in samples])
        if self.config.augment and self._layout is not None:
            motions = random_motions(samples, self.table, rng)
            pairs = zip(motions, actions, strict=True)
            actions = np.stack([motion.action(self.table, action) for motion, action in pairs])
            states = move_rows(states, self._layout, self.table, motions)
        return states, actions

    def forward(self, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Huber loss of the six outputs; `pick` and `place` are mean errors, metres."""
        outputs, target = self._outputs(batch), batch["target"]  # (B, 6)
        loss = nn.functional.huber_loss(outputs, target, delta=self.config.delta)
        return loss, self.table.errors(outputs, target)

    def select_action(
        self, observation: Mapping[str, Array], tokens: Array, instruction: str
    ) -> NDArray[np.float32]:
        """See `LearnedPolicy`."""
        state = torch.from_numpy(np.asarray(observation["state"], np.float32))[None]
        with torch.inference_mode():
            outputs = self._outputs(self.on_device({"state": state, **pad_tokens([tokens])}))
        return self.clip(self.table.decode(outputs.cpu().numpy())[0])

    def _outputs(self, batch: dict[str, Tensor]) -> Tensor:
        """(B, 6), in float32: bfloat16 would round a place by 2 mm."""
        state = batch["state"]  # (B, n)
        with torch.autocast(state.device.type, enabled=False):
            words = self.instruction(batch["tokens"], batch["mask"])  # (B, outputs)
            scaled = (state - self.mean) / self.std
            outputs: Tensor = self.net(torch.cat([scaled, words], dim=1))
        return outputs
