"""Behaviour cloning from images, without the transporter's structure.

A convolutional network reads colour and height, modulated by the instruction, and says the six
numbers one after the other: each as odds over bins, given those before it. Regressing them would
put an action that has two right answers, such as either of two equal blocks, between the two;
choosing each number alone would mix the x of one with the y of the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from agents.augment import Table, augmented, pictures
from agents.learner import About, Array, Learner, pad_tokens
from agents.networks import FiLM, Sentence

if TYPE_CHECKING:
    from agents.demos import Sample

_YAWS = (2, 5)  # of the six numbers; they go round


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
    augment: bool = True
    """Whether scenes are turned and shifted in training."""
    noise: float = 0.0
    """Metres, standard deviation of heights in training, and of colours in tenths of white."""

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
        self.table = Table.of(about)
        rows, columns = self.table.shape
        self.register_buffer("low", torch.tensor(about.action_low), persistent=False)
        self.register_buffer("high", torch.tensor(about.action_high), persistent=False)
        words = about.encoder == "words"
        self.sentence = Sentence(about.encoder_width, words, config.hidden)
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
        """`picture` (B, 4, H, W), `action` (B, 6), `tokens` and `mask`."""
        scenes, _ = pictures([s.color for s in samples], [s.height for s in samples])
        actions = np.stack([s.action for s in samples])
        if train and self.config.augment:
            scenes, actions = augmented(scenes, actions, self.table, self.config.noise, rng)
            actions[:, 5] = _wrapped(actions[:, 5] - actions[:, 2])
            actions[:, 2] = 0  # only the turn between them matters, and that is how it was shown
        padded, mask = pad_tokens(tokens)
        action = torch.from_numpy(actions)
        return {"picture": scenes, "action": action, "tokens": padded, "mask": mask}

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
        scene, _ = pictures([observation["color"]], [observation["height"]])
        batch = {"picture": scene, "tokens": padded, "mask": mask}
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
        sentence = self.sentence(batch["tokens"], batch["mask"])  # (B, hidden)
        x = F.avg_pool2d(batch["picture"], self.config.shrink)
        x = torch.cat([x, _places(x)], 1)  # (B, 6, H / shrink, W / shrink)
        for block in self.blocks:
            x = block(x, sentence)  # halved
        flat = self.squeeze(x)  # (B, 32 H W / 32^2)
        features: Tensor = self.features(torch.cat([flat, sentence], 1))
        return features

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
            return float(_wrapped(value))
        near = [b for b in near if 0 <= b < n]
        return low + (high - low) * _mean(near, odds[near]) / (n - 1)


class _Block(nn.Module):
    """Two convolutions, the first of which halves, scaled and shifted by the sentence."""

    def __init__(self, inputs: int, outputs: int, sentence: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1)
        self.norm = nn.GroupNorm(8, outputs)
        self.modulate = FiLM(outputs, sentence)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)

    def forward(self, x: Tensor, sentence: Tensor) -> Tensor:
        """(B, inputs, H, W) and (B, sentence) -> (B, outputs, H / 2, W / 2)."""
        x = F.relu(self.modulate(self.norm(self.first(x)), sentence))
        return x + F.relu(self.second(x))


def _wrapped(yaw: Any) -> Any:
    return (yaw + np.pi) % (2 * np.pi) - np.pi


def _places(x: Tensor) -> Tensor:
    """(B, 2, H, W): row and column of each pixel of (B, C, H, W), from -1 to 1."""
    rows, columns = (torch.linspace(-1, 1, n, device=x.device) for n in x.shape[-2:])
    grid = torch.stack(torch.meshgrid(rows, columns, indexing="ij"))
    return grid.expand(len(x), -1, -1, -1)


def _mean(bins: list[int], odds: Tensor) -> float:
    return float((torch.tensor(bins, device=odds.device) * odds).sum() / odds.sum())
