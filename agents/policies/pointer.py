"""The pointer: a transformer over items, places and words that points at what goes where.

Each row of the unprivileged state vector is a token, and so is each token of the instruction. Two
heads point, as pointer networks do (Vinyals et al., 2015, arXiv 1506.03134): one at the item to
pick, and one, after a layer that knows which item that is, at the row that the item goes to. A
place is a distance from that row and a turn; both are learned, since an item may go beside things.

Where several actions are equally good, the loss is the negative log-likelihood of their set: which
of them the network prefers does not matter. It learns hundreds of tasks in minutes, since a row
costs as much as a handful of pixels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from agents.data.augment import Table, moved_answers, wrap
from agents.data.colors import WORDS, likeness, named
from agents.data.demonstrations import Sample
from agents.errors import AgentsError
from agents.policies.base import Array, PolicySpec
from agents.policies.bc_state import move_states
from agents.policies.learned import LearnedPolicy, pad_tokens
from agents.ranges import Checked, Dropout, Positive
from gensim_envs import StateLayout


@dataclass(frozen=True)
class PointerConfig(Checked):
    """Hyperparameters of the pointer."""

    width: Positive = 96
    """Width of a token."""
    layers: Positive = 3
    """Layers of the transformer, before the one that knows what is picked."""
    heads: Positive = 4
    """Heads of attention; a divisor of the width."""
    dropout: Dropout = 0.0
    """Dropout rate in the transformer."""
    token_dropout: Dropout = 0.1
    """Share of the words that are dropped in training."""
    augment: bool = True
    """Rotate and shift scenes in training; not rotated where the instruction names a direction."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width % self.heads:
            raise AgentsError(f"heads is {self.heads}; expected a divisor of {self.width}")


BINS = 36
"""Turns among which it chooses, in each of two frames: from how the item lies now, and from how the
row lies that it goes to."""
_KINDS = 128  # of assets and of variants, more than there are
_SIGMA = 0.01  # metres, the scale of the distribution of places about the predicted one
_SCALE = 0.02  # metres of offset for an output of 1, so that offsets do not outweigh the choices
_TOP = 0.015  # metres within which two items lie one above the other
_ANSWERS = 32  # of a sample, drawn at random where there are more


class Pointer(LearnedPolicy):
    """Points at the item to pick and at the row that it goes to; reads no pixels."""

    obs_mode = "state"
    config_class = PointerConfig
    train_defaults = {
        "steps": 4000, "batch_size": 64, "weight_decay": 0.05, "validate_every": 2000,
        "precision": "fp32",  # its matrices are too small for bfloat16 to be faster on CPUs
    }  # fmt: skip

    def __init__(self, config: PointerConfig, spec: PolicySpec) -> None:
        super().__init__(config, spec)
        if not spec.state_bounds:
            raise AgentsError(
                "the pointer reads state vectors of this suite, whose layout the dataset lacks; "
                "record it with `gensim demos` or `python -m agents export`"
            )
        self.table = Table.of(spec)
        self._layout = StateLayout.of(spec.state_bounds)
        width = config.width
        words = spec.encoder == "words"
        self.word: nn.Module = nn.Embedding(spec.encoder_width, width) if words else nn.Sequential(
            nn.LayerNorm(spec.encoder_width), nn.Linear(spec.encoder_width, width)
        )  # fmt: skip
        self.order = nn.Embedding(64, width)  # the position of a word
        self.heard = nn.LayerNorm(width)
        self.kind, self.base, self.variant = (nn.Embedding(_KINDS, width) for _ in range(3))
        self.row = nn.Sequential(
            nn.Linear(_FEATURES + WORDS, width), nn.GELU(), nn.Linear(width, width)
        )
        self.trunk = nn.ModuleList([_Layer(config) for _ in range(config.layers)])
        # How rows lie to one another decides how much they attend to one another, in each layer.
        self.pairs = nn.Sequential(
            nn.Linear(_PAIR, 32), nn.GELU(), nn.Linear(32, (config.layers + 1) * config.heads)
        )
        self.pick = nn.Linear(width, 1)
        self.grasp = nn.Linear(width, 4)
        self.picked = nn.Linear(width, width)
        self.last = _Layer(config)
        self.place = nn.Sequential(
            nn.Linear(2 * width, width), nn.GELU(), nn.Linear(width, 1 + 4 + 2 * BINS)
        )

    # ------------------------------------------------------------------------------- training

    def prepare(
        self, samples: list[Sample], tokens: list[Array], rng: np.random.Generator, train: bool
    ) -> dict[str, Tensor]:
        """See `LearnedPolicy`: the scenes, and the answers for one valid pick of each."""
        states = np.stack([s.state for s in samples if s.state is not None])
        answers = [s.known for s in samples]
        if train and self.config.augment:
            motions, answers = moved_answers(samples, self.table, rng)
            states = move_states(states, self._layout, self.table, motions)
        items, places = self._present(states)
        picks, chosen, targets = zip(
            *(self._targets(i, a, rng) for i, a in zip(items, answers, strict=True)), strict=True
        )
        numbers = {
            "items": items, "places": places,
            "valid": np.stack(picks), "answers": np.stack(targets),
            "colors": np.stack([named(s.instruction) for s in samples]),
        }  # fmt: skip
        made = {name: torch.from_numpy(each) for name, each in numbers.items()}
        return {**made, "item": torch.tensor(chosen), **pad_tokens(tokens)}

    def _present(self, states: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """The rows of items, and those of places, that some scene of state vectors (b, n) needs.

        In each (b, rows, width) those that there are come first. A vector has room for the task
        with the most rows, and most tasks need a small part of it.
        """
        found = []
        for block in (self._layout.items, self._layout.places):
            rows = states[:, block.start : block.stop].reshape(len(states), block.rows, block.width)
            absent = rows[..., block.columns("present")][..., 0] <= 0
            order = absent.argsort(axis=1, kind="stable")[:, : (~absent).sum(1).max(initial=0)]
            found.append(np.take_along_axis(rows, order[..., None], axis=1))
        return found

    def _targets(
        self, items: NDArray[np.float32], answers: NDArray[np.float32], rng: np.random.Generator
    ) -> tuple[NDArray[np.bool_], int, NDArray[np.float32]]:
        """Which items (n, width) may be picked (n,), one of them, and its answers (_ANSWERS, 7).

        Answers that are not needed are NaN.
        """
        block = self._layout.items
        present = items[:, block.columns("present")][:, 0] > 0
        positions = items[:, block.columns("position")]
        apart = np.linalg.norm(positions[:, :2] - answers[:, None, :2], axis=-1)  # (k, n)
        apart = np.where(present, apart, np.inf)
        # Of items that lie one above the other, the one on top.
        near = apart <= apart.min(axis=1, keepdims=True) + _TOP
        owner = np.where(near & present, positions[:, 2], -np.inf).argmax(axis=1)  # (k,)
        valid = np.zeros(len(items), bool)
        valid[owner] = True
        chosen = int(rng.choice(np.flatnonzero(valid)))
        mine = answers[owner == chosen]
        mine = mine[rng.permutation(len(mine))[:_ANSWERS]]
        padded = np.full((_ANSWERS, 7), np.nan, np.float32)
        padded[: len(mine)] = mine
        return valid, chosen, padded

    def forward(self, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Negative log-likelihoods of the sets of valid picks and places, and errors of grasps."""
        rows = self._rows(batch["items"], batch["places"])
        hidden, words, biases = self._encoded(batch, rows)
        item = batch["item"]
        picks = self._picks(hidden, rows).log_softmax(1)
        losses = {"pick": -_any(picks, batch["valid"]).mean()}

        answers = batch["answers"]
        known = ~answers.isnan().any(-1)
        answers = answers.nan_to_num()
        batches = torch.arange(len(item), device=item.device)
        at, yaw = rows.position[batches, item], rows.yaw[batches, item]
        held = answers[:, 0, :2] - at[:, :2]
        grasp = self._offset(self.grasp(hidden[batches, item]), yaw)
        losses["grasp"] = (grasp - held).abs().sum(-1).mean() / _SIGMA

        logits, offsets, turns = self._places(hidden, words, biases, item, rows, yaw)
        # The middle of the item after the action, which is held off its middle: (b, answers, 2).
        rotation = answers[..., 5] - answers[..., 2]
        middle = answers[..., 3:5] - _rotated(held[:, None], rotation)
        off = (middle[:, :, None] - (rows.position[..., :2] + offsets)[:, None]).abs()
        where = logits.log_softmax(1)[:, None] - off.sum(-1) / _SIGMA  # (b, answers, rows)
        turned = self._turned(turns, rotation, rows.yaw, yaw)
        turned = torch.where(answers[..., 6:] > 0, 0.0, turned)
        likely = (where + turned).logsumexp(-1)
        losses["place"] = -_any(likely, known).mean()
        with torch.no_grad():
            right = batch["valid"][batches, picks.argmax(1)]
            # The row from which one of the answers is the nearest.
            apart = off.sum(-1).masked_fill(~known[..., None], math.inf).amin(1)
            near = apart[batches, logits.argmax(1)] < apart.amin(1) + _SIGMA
            scalars = {"picked right": right.float().mean(), "placed right": near.float().mean()}
        return torch.stack(list(losses.values())).sum(), losses | scalars

    # --------------------------------------------------------------------------------- acting

    @torch.no_grad()
    def select_action(
        self, observation: Mapping[str, Array], tokens: Array, instruction: str = ""
    ) -> NDArray[np.float32]:
        """The most likely item, the most likely row for it, and the most likely turn."""
        state = np.asarray(observation["state"], np.float32)
        items, places = map(torch.from_numpy, self._present(state[None]))
        colors = torch.from_numpy(named(instruction))[None]
        numbers = {"items": items, "places": places, "colors": colors, **pad_tokens([tokens])}
        batch = self.on_device(numbers)
        rows = self._rows(batch["items"], batch["places"])
        hidden, words, biases = self._encoded(batch, rows)
        item = self._picks(hidden, rows).argmax(1)
        yaw = rows.yaw[:, int(item)]
        held = self._offset(self.grasp(hidden[:, int(item)]), yaw)[0]
        logits, offsets, turns = self._places(hidden, words, biases, item, rows, yaw)
        row = int(logits[0].argmax())
        middle = rows.position[0, row, :2] + offsets[0, row]
        peak = int(turns[0, row].argmax())
        frame, turn = divmod(peak, BINS)
        rotation = _between(turns[0, row].reshape(2, BINS)[frame], turn)
        if frame:
            rotation += float(rows.yaw[0, row] - yaw[0])
        angle = torch.tensor(rotation, device=self.device)
        pick = rows.position[0, int(item), :2] + held
        place = middle + _rotated(held, angle)
        return self.clip(np.array([*pick.tolist(), 0.0, *place.tolist(), wrap(rotation)]))

    # ---------------------------------------------------------------------------------- parts

    def _rows(self, items: Tensor, places: Tensor) -> _Rows:
        """The rows of items, then those of places, from `_present`."""
        blocks = self._layout.items, self._layout.places

        def field(name: str) -> Tensor:
            return torch.cat(
                [r[..., b.columns(name)] for r, b in zip((items, places), blocks, strict=True)], 1
            )

        sine, cosine = field("yaw").unbind(-1)
        size = items[..., blocks[0].columns("size")]
        base = places[..., blocks[1].columns("base_variant")]
        return _Rows(
            items=items.shape[1], present=field("present")[..., 0] > 0, position=field("position"),
            yaw=torch.atan2(sine, cosine), color=field("color"),
            size=torch.cat([size, size.new_zeros(*places.shape[:2], 3)], 1),
            kind=_index(field("kind")), variant=_index(field("variant")),
            base=_index(torch.cat([base.new_zeros(*items.shape[:2], 1), base], 1)),
        )  # fmt: skip

    def _encoded(
        self, batch: Mapping[str, Tensor], rows: _Rows
    ) -> tuple[Tensor, Tensor, Sequence[Tensor]]:
        """What the trunk makes of the rows, which attend to one another and to the words.

        Returns:
            Features (b, rows, width), words (b, words, width), and the biases of attention in each
            layer, (b, heads, rows, rows + words).
        """
        middle = rows.position.new_tensor([*self.table.middle, 0])
        scaled = (rows.position - middle) / rows.position.new_tensor([0.25, 0.25, 0.05])
        is_place = torch.zeros_like(scaled[..., :1])
        is_place[:, rows.items :] = 1
        heading = torch.stack([rows.yaw.sin(), rows.yaw.cos()], -1)
        parts = [scaled, heading, rows.color, rows.size * 20, is_place]
        features = torch.cat([*parts, likeness(rows.color, batch["colors"])], -1)
        names = self.kind(rows.kind) + self.base(rows.base) + self.variant(rows.variant)
        words, mask = self.word(batch["tokens"]), batch["mask"]
        order = torch.arange(words.shape[1], device=words.device).clamp(max=63)
        if self.training:
            kept = torch.rand(mask.shape, device=mask.device) >= self.config.token_dropout
            mask = mask & kept
        hidden, words = self.row(features) + names, self.heard(words + self.order(order))
        biases = self._biases(rows, torch.cat([rows.present, mask], 1))
        for layer, bias in zip(self.trunk, biases, strict=False):
            hidden = layer(hidden, words, bias)
        return hidden, words, biases

    def _biases(self, rows: _Rows, there: Tensor) -> Sequence[Tensor]:
        """Biases (b, heads, rows, n) of attention in each layer; there are some (b, n) of them."""
        apart = (rows.position[:, None] - rows.position[:, :, None]) * 5  # (b, rows, rows, 3)
        distance = apart[..., :2].norm(dim=-1, keepdim=True)
        ahead = _rotated(apart[..., :2], -rows.yaw[:, :, None])
        same = (rows.color[:, None] - rows.color[:, :, None]).abs().sum(-1, keepdim=True) < 0.05
        pairs = self.pairs(torch.cat([apart, distance, (-4 * distance).exp(), ahead, same], -1))
        words = there.shape[1] - rows.position.shape[1]
        pairs = F.pad(pairs.permute(0, 3, 1, 2), (0, words))
        pairs = pairs.masked_fill(~there[:, None, None], -1e4)  # (b, layers * heads, rows, n)
        return pairs.chunk(self.config.layers + 1, 1)

    def _picks(self, hidden: Tensor, rows: _Rows) -> Tensor:
        """Logits (b, items)."""
        return _masked(self.pick(hidden[:, : rows.items])[..., 0], rows.present[:, : rows.items])

    def _places(
        self,
        hidden: Tensor,
        words: Tensor,
        biases: Sequence[Tensor],
        item: Tensor,
        rows: _Rows,
        yaw: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Where an item (b,) goes that has a yaw (b,).

        Returns:
            Logits (b, rows), the place's offset from each row (b, rows, 2) in metres, and logits of
            turns (b, rows, 2 BINS).
        """
        batches = torch.arange(len(item), device=item.device)
        mark = torch.zeros_like(hidden)
        mark[batches, item] = self.picked(hidden[batches, item]).to(mark.dtype)
        hidden = self.last(hidden + mark, words, biases[-1])
        own = hidden[batches, item][:, None].expand_as(hidden)
        out = self.place(torch.cat([hidden, own], -1))
        logits, offset, turns = out.split([1, 4, 2 * BINS], -1)
        logits = _masked(logits[..., 0], rows.present)
        return logits, self._offset(offset, rows.yaw), turns

    def _offset(self, numbers: Tensor, yaw: Tensor) -> Tensor:
        """Offsets (..., 2), metres: a part in the frame of a row, and one in the world's."""
        return (_rotated(numbers[..., :2], yaw) + numbers[..., 2:]) * _SCALE

    def _turned(self, turns: Tensor, rotation: Tensor, rows: Tensor, yaw: Tensor) -> Tensor:
        """Log-likelihood (b, answers, rows) of rotations (b, answers)."""
        count = rows.shape[1]
        zero = torch.zeros_like(rows)
        frames = torch.stack([zero, rows - yaw[:, None]], -1)  # (b, rows, 2)
        steps = (rotation[:, :, None, None] - frames[:, None]) / (2 * math.pi / BINS) % BINS
        low = steps.floor()
        part = steps - low
        log_probs = turns.log_softmax(-1).flatten(1)
        first = BINS * torch.arange(2 * count, device=rows.device).reshape(count, 2)

        def at(index: Tensor) -> Tensor:
            flat = (first + index.long() % BINS).flatten(1)
            return log_probs.gather(1, flat).reshape(index.shape)

        return ((1 - part) * at(low) + part * at(low + 1)).logsumexp(-1)


@dataclass(frozen=True)
class _Rows:
    """The rows of b scenes: (b, rows, ...), those of items first."""

    items: int
    present: Tensor
    position: Tensor
    yaw: Tensor
    color: Tensor
    size: Tensor
    kind: Tensor
    variant: Tensor
    base: Tensor


_FEATURES = 3 + 2 + 3 + 3 + 1
_PAIR = 3 + 1 + 1 + 2 + 1


class _Layer(nn.Module):
    """A layer of a transformer whose tokens attend to one another and to words.

    Words stay as they are: the text encoder has related them to one another. The attention has
    biases, which PyTorch's own layer ignores on its fast path, without gradients.
    """

    def __init__(self, config: PointerConfig) -> None:
        super().__init__()
        width, self.heads, self.dropout = config.width, config.heads, config.dropout
        self.norms = nn.ModuleList([nn.LayerNorm(width) for _ in range(2)])
        self.attention, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.words = nn.Linear(width, 2 * width)
        self.mix = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Dropout(config.dropout),
            nn.Linear(2 * width, width), nn.Dropout(config.dropout),
        )  # fmt: skip

    def forward(self, x: Tensor, words: Tensor, bias: Tensor) -> Tensor:
        """Tokens (b, n, width), with words (b, m, width) and biases (b, heads, n, n + m)."""
        query, *own = self._parts(self.attention(self.norms[0](x)), 3)
        key, value = (
            torch.cat(each, 2) for each in zip(own, self._parts(self.words(words), 2), strict=True)
        )
        dropout = self.dropout if self.training else 0.0
        seen = F.scaled_dot_product_attention(query, key, value, bias.to(query), dropout)
        attended: Tensor = x + self.out(seen.transpose(1, 2).flatten(2))
        mixed: Tensor = self.mix(self.norms[1](attended))
        return attended + mixed

    def _parts(self, x: Tensor, count: int) -> Tensor:
        """(b, n, count * width) as (count, b, heads, n, width / heads)."""
        return x.view(*x.shape[:2], count, self.heads, -1).permute(2, 0, 3, 1, 4)


def _index(values: Tensor) -> Tensor:
    """Numbers (b, n, 1) of a state vector, which hold hundredths, as indices (b, n)."""
    return (values[..., 0] * 100).round().long().clamp(0, _KINDS - 1)


def _masked(logits: Tensor, there: Tensor) -> Tensor:
    return logits.float().masked_fill(~there, -1e4)


def _any(log_probs: Tensor, valid: Tensor) -> Tensor:
    """The log-probability (b,) that one of the valid ones (b, n) is chosen."""
    return log_probs.masked_fill(~valid, -1e4).logsumexp(1)


def _rotated(vectors: Tensor, angles: Tensor) -> Tensor:
    """Vectors (..., 2) rotated by angles (...) from x towards y."""
    cos, sin = torch.cos(angles), torch.sin(angles)
    x, y = vectors.unbind(-1)
    return torch.stack([cos * x - sin * y, sin * x + cos * y], -1)


def _between(logits: Tensor, peak: int) -> float:
    """The mean angle of a bin and its two neighbours, radians."""
    near = [(peak + k) % BINS for k in (-1, 0, 1)]
    probs: Any = logits[near].softmax(0)
    return float(peak + probs[2] - probs[0]) * 2 * math.pi / BINS
