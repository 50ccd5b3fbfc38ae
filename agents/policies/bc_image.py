"""Behaviour cloning from images, without the transporter's structure.

The transporter's trunk reads colour and height and the instruction; instead of choosing pixels,
the network regresses the six numbers. It looks for points on the table (spatial softmax; Levine et
al., 2016, arXiv 1504.00702), and from where they are and what is there a perceptron makes a mixture
of normal distributions over actions, as BC-GMM has it (Mandlekar et al., 2021, arXiv 2108.03298):
a single mean would put an action that has two right answers, such as either of two equal blocks,
between the two.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from agents.data.augment import Table, augmented, noisy, pictures
from agents.options import check_range
from agents.policies.base import About, Array, Learner, pad_tokens
from agents.policies.networks import Decoder, Encoder, Sentence

if TYPE_CHECKING:
    from agents.data.demonstrations import Sample

_CELL = 4  # pixels of the observation in one of the trunk's
_LEAST_SPREAD = 0.01  # in units of `Table.encode`: 5 mm and half a degree
_NUMBERS = 6  # x and y of pick and place, sine and cosine of the turn between them


@dataclass(frozen=True)
class Options:
    """Hyperparameters."""

    width: int = 32
    """Channels at a quarter of the resolution; 1.5 times as many at an eighth, twice at a 16th."""
    points: int = 32
    """Points on the table that the network looks for; two for each mode are its pick and place."""
    modes: int = 4
    """Normal distributions in the mixture."""
    hidden: int = 256
    """Units of each layer of the perceptron."""
    dropout: float = 0.1
    """Share of these that are left out in training."""
    augment: bool = True
    """Whether scenes are turned and shifted in training."""
    noise: float = 0.0
    """Standard deviation of sensor noise in training: of heights, metres; of colours, 0..1, ten
    times the number."""

    def __post_init__(self) -> None:
        """Refuses what the network cannot be built with.

        Raises:
            ValueError: naming the option.
        """
        check_range(self, 1, math.inf, "width", "hidden", "modes")
        check_range(self, 2 * self.modes, math.inf, "points")
        check_range(self, 0, math.inf, "noise")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout is {self.dropout}; give 0 or more and less than 1")


class BCImage(Learner):
    """Regresses x and y of pick and place, and sine and cosine of the turn between them."""

    obs_mode = "rgbd"
    Config = Options

    def __init__(self, config: Options, about: About) -> None:
        super().__init__(config, about)
        self.table = Table.of(about)
        widths = (config.width, config.width * 3 // 2, config.width * 2)
        self.sentence = Sentence(about.encoder_width, about.encoder == "words")
        self.encoder = Encoder(4, widths, self.sentence.outputs)
        self.decoder = Decoder(widths, self.sentence.outputs)
        self.look = nn.Conv2d(config.width, config.points, 1)
        self.sharpness = nn.Parameter(torch.full((config.points, 1), 5.0))
        outputs = config.modes * (1 + 2 * _NUMBERS)
        self.perceptron = nn.Sequential(
            nn.Linear(config.points * (2 + config.width), config.hidden), nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden, config.hidden), nn.ReLU(),
            nn.Linear(config.hidden, outputs),
        )  # fmt: skip
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def prepare(
        self, samples: list[Sample], tokens: list[Array], rng: np.random.Generator, train: bool
    ) -> dict[str, Tensor]:
        """`picture` (B, 4, H, W), `target` (B, 6) of `Table.encode`, `tokens` and `mask`."""
        scenes, _ = pictures([s.color for s in samples], [s.height for s in samples])
        actions = np.stack([s.action for s in samples])
        if train and self.config.augment:
            scenes, actions = augmented(scenes, actions, self.table, rng)
        if train and self.config.noise:
            scenes = noisy(scenes, self.config.noise, rng)
        padded, mask = pad_tokens(tokens)
        target = torch.from_numpy(self.table.encode(actions))
        return {"picture": scenes, "target": target, "tokens": padded, "mask": mask}

    def loss(self, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Negative log-likelihood; `pick` and `place` are mean errors of the likeliest, metres."""
        mixture, target = self._mixture(batch), batch["target"]
        loss: Tensor = -mixture.log_prob(target).mean()
        with torch.no_grad():
            error = (_likeliest(mixture) - target)[:, :4].reshape(-1, 2, 2).norm(dim=-1)
            pick, place = error.mean(0) * self.table.unit
        return loss, {"pick": pick, "place": place}

    def predict(self, observation: Mapping[str, Array], tokens: Array) -> NDArray[np.float32]:
        """(6,) the mean of the likeliest mode."""
        padded, mask = pad_tokens([tokens])
        scene, _ = pictures([observation["color"]], [observation["height"]])
        batch = {"picture": scene, "tokens": padded, "mask": mask}
        with torch.inference_mode():
            mixture = self._mixture({k: v.to(self.device) for k, v in batch.items()})
        return self.clipped(self.table.decode(_likeliest(mixture).cpu().numpy())[0])

    def _mixture(self, batch: dict[str, Tensor]) -> Any:  # a MixtureSameFamily, which has no types
        """Of B actions, (6,) each, of `Table.encode`."""
        modes = self.config.modes
        sentence = self.sentence(batch["tokens"], batch["mask"])
        picture = batch["picture"].contiguous(memory_format=torch.channels_last)
        features = self.decoder(self.encoder(picture, sentence), sentence)[-1]  # (B, width, h, w)
        maps = self.look(features).float().flatten(2)  # (B, points, h w)
        weights = (self.sharpness * maps).softmax(-1)
        where = weights @ self._grid(features)  # (B, points, 2)
        there = weights @ features.float().flatten(2).transpose(1, 2)  # (B, points, width)
        said = self.perceptron(torch.cat([where, there], -1).flatten(1)).float()
        said = said.unflatten(1, (modes, -1))  # (B, modes, 1 + 2 * 6)
        means, spreads = said[..., 1 : 1 + _NUMBERS], said[..., 1 + _NUMBERS :]
        own = where[:, : 2 * modes].reshape(-1, modes, 4)  # a pick and a place for each mode
        means = torch.cat([own + means[..., :4], means[..., 4:]], -1)
        spreads = nn.functional.softplus(spreads) + _LEAST_SPREAD
        return MixtureSameFamily(
            Categorical(logits=said[..., 0], validate_args=False),
            Independent(Normal(means, spreads, validate_args=False), 1),
            validate_args=False,
        )

    def _grid(self, features: Tensor) -> Tensor:
        """(h w, 2) where the cells of features (B, width, h, w) are, in those of `Table.encode`."""
        cell = _CELL * self.table.pixel / self.table.unit
        x, y = (
            (torch.arange(n, device=features.device, dtype=torch.float32) - (n - 1) / 2) * cell
            for n in features.shape[-2:]
        )
        return torch.stack(torch.meshgrid(x, y, indexing="ij"), -1).flatten(0, 1)


def _likeliest(mixture: Any) -> Tensor:
    """(B, 6) the mean of the mode with the greatest weight."""
    best = mixture.mixture_distribution.logits.argmax(1)
    means: Tensor = mixture.component_distribution.base_dist.loc
    return means[torch.arange(len(best), device=best.device), best]
