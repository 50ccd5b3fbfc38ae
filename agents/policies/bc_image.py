"""Behaviour cloning from images, without the spatial structure of the transporter.

The network is made of the blocks of the transporter, but it sees raw colours and regresses the
action instead of choosing pixels. A spatial softmax (Levine et al., 2016, arXiv 1504.00702) finds
points on the table. From their positions and features, a multi-layer perceptron predicts a mixture
of Gaussians over actions, as BC-GMM (Mandlekar et al., 2021, arXiv 2108.03298): a single mean would
lie between two correct actions, such as picking either of two equal blocks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from agents.data.augment import prepared
from agents.data.demonstrations import Sample
from agents.data.images import pictures
from agents.errors import AgentsError
from agents.policies.base import Array, PolicySpec
from agents.policies.learned import LearnedPolicy, pad_tokens
from agents.policies.networks import Decoder, Encoder, InstructionPooling
from agents.ranges import Amount, Checked, Dropout, Width

_CELL = 4  # pixels of an image in one of the features
_LEAST_SPREAD = 0.01  # in units of `Table.encode`: 5 mm and half a degree
_OUTPUTS = 6  # x and y of pick and place, sine and cosine of the rotation


@dataclass(frozen=True)
class BCImageConfig(Checked):
    """Hyperparameters of behaviour cloning from images."""

    option_prefix = "bc_image."

    width: Width = 32
    """Channels at 1/4 of the resolution; 1.5 times as many at 1/8, twice as many at 1/16."""
    points: Width = 32
    """Points of the spatial softmax; two of them for each mode are its pick and place."""
    modes: Width = 4
    """Gaussians in the mixture."""
    hidden: Width = 256
    """Units in each layer of the perceptron."""
    dropout: Dropout = 0.1
    """Dropout rate of the perceptron."""
    augment: bool = True
    """Rotate and shift scenes in training."""
    noise: Amount = 0.0
    """Standard deviation of sensor noise in training: of heights, in metres; that of colours, 0..1,
    is ten times as much."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.points < 2 * self.modes:
            raise AgentsError(
                f"--bc_image.points is {self.points}; expected {2 * self.modes} or more"
            )


class BCImage(LearnedPolicy):
    """Regresses x and y of pick and place, and sine and cosine of the rotation between them."""

    obs_mode = "rgbd"
    config_class = BCImageConfig

    def __init__(self, config: BCImageConfig, spec: PolicySpec) -> None:
        super().__init__(config, spec)
        self.table = spec.table
        widths = (config.width, config.width * 3 // 2, config.width * 2)
        self.instruction = InstructionPooling(spec.encoder_width, spec.encoder == "words")
        self.encoder = Encoder(4, widths, self.instruction.outputs)
        self.decoder = Decoder(widths, self.instruction.outputs)
        self.points = nn.Conv2d(config.width, config.points, 1)
        self.sharpness = nn.Parameter(torch.full((config.points, 1), 5.0))
        outputs = config.modes * (1 + 2 * _OUTPUTS)
        self.perceptron = nn.Sequential(
            nn.Linear(config.points * (2 + config.width), config.hidden), nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden, config.hidden), nn.ReLU(),
            nn.Linear(config.hidden, outputs),
        )  # fmt: skip
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def prepare(
        self, samples: list[Sample], tokens: list[Array], rng: np.random.Generator
    ) -> dict[str, Tensor]:
        """`image` (B, 4, H, W), `target` (B, 6) of `Table.encode`, `tokens` and `mask`."""
        scenes, _, actions, _ = prepared(samples, self.table, self.config, rng)
        target = torch.from_numpy(self.table.encode(actions))
        return {"image": scenes, "target": target, **pad_tokens(tokens)}

    def forward(self, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Negative log-likelihood; `pick` and `place` are mean errors of the best mode, metres."""
        mixture, target = self._mixture(batch), batch["target"]
        loss: Tensor = -mixture.log_prob(target).mean()
        return loss, self.table.errors(_best_mode(mixture), target)

    def select_action(
        self, observation: Mapping[str, Array], tokens: Array, instruction: str
    ) -> NDArray[np.float32]:
        """The mean of the most likely mode, (6,)."""
        scene, _ = pictures([observation["color"]], [observation["height"]])
        with torch.inference_mode():
            mixture = self._mixture(self.on_device({"image": scene, **pad_tokens([tokens])}))
        return self.clip(self.table.decode(_best_mode(mixture).cpu().numpy())[0])

    def _mixture(self, batch: dict[str, Tensor]) -> Any:  # a MixtureSameFamily, which has no types
        """The mixture over B encoded actions, (6,) each."""
        modes = self.config.modes
        text = self.instruction(batch["tokens"], batch["mask"])
        image = batch["image"].contiguous(memory_format=torch.channels_last)
        features = self.decoder(self.encoder(image, text), text)[-1]  # (B, width, h, w)
        maps = self.points(features).float().flatten(2)  # (B, points, h w)
        weights = (self.sharpness * maps).softmax(-1)
        positions = weights @ self._grid(features)  # (B, points, 2)
        found = weights @ features.float().flatten(2).transpose(1, 2)  # (B, points, width)
        outputs = self.perceptron(torch.cat([positions, found], -1).flatten(1)).float()
        outputs = outputs.unflatten(1, (modes, -1))  # (B, modes, 1 + 2 * 6)
        means, spreads = outputs[..., 1 : 1 + _OUTPUTS], outputs[..., 1 + _OUTPUTS :]
        own = positions[:, : 2 * modes].reshape(-1, modes, 4)  # a pick and a place for each mode
        means = torch.cat([own + means[..., :4], means[..., 4:]], -1)
        spreads = nn.functional.softplus(spreads) + _LEAST_SPREAD
        return MixtureSameFamily(
            Categorical(logits=outputs[..., 0], validate_args=False),
            Independent(Normal(means, spreads, validate_args=False), 1),
            validate_args=False,
        )

    def _grid(self, features: Tensor) -> Tensor:
        """(h w, 2) positions of features (B, width, h, w), in units of `Table.encode`."""
        cell = _CELL * self.table.pixel / self.table.unit
        lines = [torch.arange(n, device=features.device).float() for n in features.shape[-2:]]
        return torch.cartesian_prod(*((line - (len(line) - 1) / 2) * cell for line in lines))


def _best_mode(mixture: Any) -> Tensor:
    """(B, 6) the mean of the mode with the largest weight."""
    best = mixture.mixture_distribution.logits.argmax(1)
    means: Tensor = mixture.component_distribution.base_dist.loc
    return means[torch.arange(len(best), device=best.device), best]
