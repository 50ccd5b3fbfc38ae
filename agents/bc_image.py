"""Behaviour cloning from images, without the transporter's structure.

A convolutional network reads colour and height, modulated by the instruction, and says the six
numbers one after the other: each as odds over bins, given those before it. Regressing them would
put an action that has two right answers, such as either of two equal blocks, between the two;
choosing each number alone would mix the x of one with the y of the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from agents.learner import About, Array, Learner, pad_tokens

if TYPE_CHECKING:
    from agents.demos import Sample

_YAWS = (2, 5)  # of the six numbers; they go round
_SCALE = 10.0  # of heights: 10 cm is as much as white


@dataclass(frozen=True)
class Options:
    """Hyperparameters."""

    shrink: int = 2
    """Side of the squares of pixels whose mean the network sees: 1, 2 or 4."""
    width: int = 32
    """Channels of the first layer; they double with each halving of the resolution."""
    hidden: int = 256
    """Width of the layers that say the numbers."""
    bins: int = 64
    """Bins of each number. Odds are shared between the two nearest, so it is finer than they."""
    dropout: float = 0.1
    """Share of the picture's features that are left out in training."""

    def __post_init__(self) -> None:
        if self.shrink not in (1, 2, 4):
            raise ValueError("shrink must be 1, 2 or 4")
        if min(self.width, self.hidden) < 8 or self.width % 8 or self.bins < 4:
            raise ValueError("width must be a multiple of 8, hidden at least 8, bins at least 4")
        if not 0 <= self.dropout < 1:
            raise ValueError("dropout must be at least 0 and less than 1")


class BCImage(Learner):
    """Classifies pick x, y, yaw and place x, y, yaw, in this order."""

    obs_mode = "rgbd"
    Config = Options

    low: Tensor
    high: Tensor

    def __init__(self, config: Options, about: About) -> None:
        super().__init__(config, about)
        rows, columns = about.observation["height"]
        self.register_buffer("low", torch.tensor(about.action_low), persistent=False)
        self.register_buffer("high", torch.tensor(about.action_high), persistent=False)
        words = about.encoder == "words"
        token = config.hidden if words else about.encoder_width
        self.embedding = nn.Embedding(about.encoder_width, token) if words else None
        self.sentence = nn.Sequential(nn.Linear(token, config.hidden), nn.ReLU())
        channels = 4 + 2  # colour, height, and where a pixel is
        self.blocks = nn.ModuleList()
        for level in range(5 - config.shrink.bit_length() + 1):  # down to a 32nd
            width = config.width * 2 ** min(level, 2)
            self.blocks.append(_Block(channels, width, config.hidden))
            channels = width
        self.squeeze = nn.Sequential(
            nn.Conv2d(channels, 32, 1), nn.ReLU(), nn.Flatten(), nn.Dropout(config.dropout)
        )
        flat = 32 * -(-rows // 32) * -(-columns // 32)
        self.features = nn.Linear(flat + config.hidden, config.hidden)
        self.given = nn.ModuleList([nn.Linear(k * config.bins, config.hidden) for k in range(1, 6)])
        self.odds = nn.ModuleList(
            nn.Sequential(
                nn.Linear(config.hidden, config.hidden), nn.ReLU(),
                nn.Linear(config.hidden, config.bins),
            )
            for _ in range(6)
        )  # fmt: skip

    def prepare(
        self, samples: list[Sample], tokens: list[Array], rng: np.random.Generator, train: bool
    ) -> dict[str, Tensor]:
        """`color` (B, H, W, 3) uint8, `height` (B, H, W), `action` (B, 6), `tokens` and `mask`."""
        padded, mask = pad_tokens(tokens)
        return {
            "color": torch.from_numpy(np.stack([s.color for s in samples if s.color is not None])),
            "height": torch.from_numpy(
                np.stack([s.height for s in samples if s.height is not None])
            ),
            "action": torch.from_numpy(np.stack([s.action for s in samples])),
            "tokens": padded,
            "mask": mask,
        }

    def loss(self, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Cross-entropy with the shared odds, the mean over the six numbers."""
        features = self._features(batch)  # (B, hidden)
        target = self._shared(batch["action"])  # (B, 6, bins)
        losses = [
            F.cross_entropy(self._logits(k, features, target[:, :k]), target[:, k])
            for k in range(6)
        ]
        pick, place = torch.stack(losses[:3]).mean(), torch.stack(losses[3:]).mean()
        return (pick + place) / 2, {"pick": pick, "place": place}

    def predict(self, observation: Mapping[str, Array], tokens: Array) -> NDArray[np.float32]:
        """(6,) the likeliest action: greedily, number by number."""
        padded, mask = pad_tokens([tokens])
        batch = {
            "color": torch.from_numpy(np.asarray(observation["color"]))[None],
            "height": torch.from_numpy(np.asarray(observation["height"], np.float32))[None],
            "tokens": padded,
            "mask": mask,
        }
        said: list[float] = []
        with torch.inference_mode():
            features = self._features({k: v.to(self.device) for k, v in batch.items()})
            for k in range(6):
                # What was said is fed back as it was in training: shared between two bins.
                before = torch.tensor([said + [0.0] * (6 - k)], device=self.device)
                logits = self._logits(k, features, self._shared(before)[:, :k])
                said.append(self._mode(k, logits[0].float().softmax(0)))
        return self.clipped(np.array(said))

    def _features(self, batch: dict[str, Tensor]) -> Tensor:
        """(B, hidden): what picture and sentence say together."""
        sentence = self._sentence(batch["tokens"], batch["mask"])  # (B, hidden)
        color = batch["color"].permute(0, 3, 1, 2).float() / 255  # (B, 3, H, W)
        height = batch["height"][:, None] * _SCALE  # (B, 1, H, W)
        x = F.avg_pool2d(torch.cat([color, height], 1), self.config.shrink)
        x = torch.cat([x, _places(x)], 1)  # (B, 6, H / shrink, W / shrink)
        for block in self.blocks:
            x = block(x, sentence)  # halved
        flat = self.squeeze(x)  # (B, 32 H W / 32^2)
        features: Tensor = self.features(torch.cat([flat, sentence], 1))
        return features

    def _sentence(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """(B, hidden): the mean of what each token says."""
        if self.embedding is not None:
            tokens = self.embedding(tokens)
        said = self.sentence(tokens) * mask[..., None]  # (B, L, hidden)
        total: Tensor = said.sum(1) / mask.sum(1, keepdim=True).clamp(min=1)
        return total

    def _logits(self, k: int, features: Tensor, before: Tensor) -> Tensor:
        """(B, bins) of number k, from (B, hidden) features and the (B, k, bins) numbers before."""
        if k:
            features = features + self.given[k - 1](before.flatten(1))
        logits: Tensor = self.odds[k](F.relu(features))
        return logits

    # Between numbers and bins. Bin b of n is at low + (high - low) b / (n - 1); for a yaw, which
    # goes round, at low + (high - low) b / n.

    def _shared(self, action: Tensor) -> Tensor:
        """(B, 6, bins): 1 in all, shared between the two nearest bins of each number."""
        n = self.config.bins
        steps = torch.full((6,), n - 1.0, device=action.device)
        steps[list(_YAWS)] = n
        place = (action - self.low) / (self.high - self.low) * steps  # (B, 6)
        below = place.floor()
        bins = torch.arange(n, device=action.device)
        shared = torch.zeros(*action.shape, n, device=action.device)
        for bin_, share in ((below, 1 - (place - below)), (below + 1, place - below)):
            shared = shared + (bins == (bin_ % n)[..., None]) * share[..., None]
        return shared

    def _mode(self, k: int, odds: Tensor) -> float:
        """Number k where the odds (bins,) are highest: the mean over three bins around it."""
        n, low, high = len(odds), float(self.low[k]), float(self.high[k])
        best = int(odds.argmax())
        near = [best - 1, best, best + 1]
        if k in _YAWS:
            value = low + (high - low) * _mean(near, odds[[b % n for b in near]]) / n
            return (value + np.pi) % (2 * np.pi) - np.pi
        near = [b for b in near if 0 <= b < n]
        return low + (high - low) * _mean(near, odds[near]) / (n - 1)


class _Block(nn.Module):
    """Two convolutions, the first of which halves, scaled and shifted by the sentence.

    FiLM: Perez et al., 2018, arXiv 1709.07871.
    """

    def __init__(self, inputs: int, outputs: int, sentence: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1)
        self.norm = nn.GroupNorm(8, outputs)
        self.film = nn.Linear(sentence, 2 * outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)

    def forward(self, x: Tensor, sentence: Tensor) -> Tensor:
        """(B, inputs, H, W) and (B, sentence) -> (B, outputs, H / 2, W / 2)."""
        scale, shift = self.film(sentence)[..., None, None].chunk(2, dim=1)
        x = F.relu(self.norm(self.first(x)) * (1 + scale) + shift)
        return x + F.relu(self.second(x))


def _places(x: Tensor) -> Tensor:
    """(B, 2, H, W): row and column of each pixel of (B, C, H, W), from -1 to 1."""
    rows, columns = (torch.linspace(-1, 1, n, device=x.device) for n in x.shape[-2:])
    grid = torch.stack(torch.meshgrid(rows, columns, indexing="ij"))
    return grid.expand(len(x), -1, -1, -1)


def _mean(bins: list[int], odds: Tensor) -> float:
    return float((torch.tensor(bins, device=odds.device) * odds).sum() / odds.sum())
