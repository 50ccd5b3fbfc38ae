"""The pointer: a transformer over items, places and words that points at what goes where.

Each row of the unprivileged state vector is a token, and so is each token of the instruction. Two
heads point, as pointer networks do (Vinyals et al., 2015, arXiv 1506.03134): one at the item to
pick, and one, after a layer that knows which item that is, at the row that the item goes to. A
place is a turn and one of a few offsets, from that row or from a point between rows; all are
learned, since an item may go beside things or on two of them. How likely a place is depends on what
is there already.

Colours, nouns and phrases of the instruction, such as "the red block", are also compared with the
rows, so that it knows what an instruction names where it has never seen a thing of that colour,
kind or shape.

Where several actions are equally good, the loss is the negative log-likelihood of their set: which
of them the network prefers does not matter. It learns a task in a minute or two of one core, since
a row costs as much as a handful of pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from agents.data import colors, nouns, phrases
from agents.data.augment import moved_answers, wrap
from agents.data.demonstrations import Sample
from agents.errors import AgentsError
from agents.policies import grids
from agents.policies.base import Array, PolicySpec
from agents.policies.learned import LearnedPolicy, pad_tokens
from agents.policies.rows import (
    KINDS,
    WORDS,
    Rows,
    layout_of,
    move_rows,
    named_rows,
    present_rows,
)
from agents.ranges import Checked, Dropout, Width
from gensim_envs.utils.decode import Range

if TYPE_CHECKING:
    import gymnasium as gym


@dataclass(frozen=True)
class PointerConfig(Checked):
    """Hyperparameters of the pointer."""

    option_prefix = "pointer."

    width: Width = 96
    """Width of a token."""
    layers: Annotated[int, Range(1, 100)] = 3
    """Layers of the transformer, before the one that knows what is picked."""
    heads: Width = 4
    """Heads of attention; a divisor of the width."""
    dropout: Dropout = 0.0
    """Dropout rate in the transformer."""
    token_dropout: Dropout = 0.1
    """Share of the words that are dropped in training."""
    kind_dropout: Dropout = 0.1
    """Share of the rows whose kind is dropped in training, and of those whose variant is, as they
    are of a thing that training never showed."""
    augment: bool = True
    """Rotate and shift scenes in training; not rotated where the instruction names a direction."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width % self.heads:
            raise AgentsError(
                f"--pointer.heads is {self.heads}; expected a divisor of --pointer.width, which is "
                f"{self.width}"
            )


BINS = 36
"""Turns among which it chooses, in each of two frames: from how the item lies now, and from how the
row lies that it goes to."""
_SIGMA = 0.01  # metres, the scale of the distribution of places about the predicted one
_SCALE = 0.02  # metres of offset for an output of 1, so that offsets do not outweigh the choices
_TOP = 0.015  # metres within which two items lie one above the other
_PARTS = 4  # of a batch, by the number of rows
_ANSWERS = 32  # of a sample, drawn at random where there are more
_MODES = 4  # places of a row among which it chooses, such as those on each side of a thing
_NEAR = 0.03  # metres within which a thing stands in the way of a place
_STILL = 0.005  # entries of a state that differ by less are as they were
_MOVE = 0.02  # metres from pick to place, from which an action moves a thing that it holds


class Pointer(LearnedPolicy):
    """Points at the item to pick and at the row that it goes to; reads no pixels."""

    obs_mode = "state"
    any_rows = True
    config_class = PointerConfig
    train_defaults = {
        "steps": 4000, "batch_size": 64, "weight_decay": 0.05, "validate_every": 2000,
        "precision": "fp32",  # its matrices are too small for bfloat16 to be faster on CPUs
    }  # fmt: skip

    def __init__(self, config: PointerConfig, spec: PolicySpec) -> None:
        super().__init__(config, spec)
        layout = layout_of(spec)
        if layout is None:
            raise AgentsError(
                "the pointer reads state vectors of this suite, whose layout the dataset lacks; "
                "record it with `python -m agents export --obs-mode state`"
            )
        self.table = spec.table
        self._trained_layout = self._layout = layout
        width = config.width
        words = spec.encoder == "words"
        self.word: nn.Module = nn.Embedding(spec.encoder_width, width) if words else nn.Sequential(
            nn.LayerNorm(spec.encoder_width), nn.Linear(spec.encoder_width, width)
        )  # fmt: skip
        self.order = nn.Embedding(64, width)  # the position of a word
        self.heard = nn.LayerNorm(width)
        self.kind, self.base, self.variant = (nn.Embedding(KINDS, width) for _ in range(3))
        for names in (self.kind, self.base, self.variant):
            nn.init.zeros_(names.weight)  # what training never shows stays without a name
        self.row = nn.Sequential(
            nn.Linear(_FEATURES + WORDS + nouns.NOUNS + phrases.PHRASES, width), nn.GELU(),
            nn.Linear(width, width),
        )  # fmt: skip
        self.trunk = nn.ModuleList([_Layer(config) for _ in range(config.layers)])
        # How rows lie to one another decides how much they attend to one another, in each layer.
        self.pairs = nn.Sequential(
            nn.Linear(_PAIR, 32), nn.GELU(), nn.Linear(32, (config.layers + 1) * config.heads)
        )
        self.pick = nn.Linear(width, 1)
        self.grasp = nn.Linear(width, 4)
        self.picked, self.related = nn.Linear(width, width), nn.Linear(_PAIR, width)
        self.last = _Layer(config)
        out = nn.Linear(width, _MODES * _MODE + 2 * BINS)
        with torch.no_grad():  # equal modes would stay equal
            out.bias[: _MODES * _MODE].view(_MODES, _MODE)[1:-1, 1:5].normal_(std=2)
        self.place = nn.Sequential(nn.Linear(2 * width, width), nn.GELU(), out)
        self.between, self.end = nn.Linear(2 * width, width), nn.Linear(width, width)
        self._rng = np.random.default_rng(0)
        self._before: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None
        self._missed = self._misplaced = 0

    # ------------------------------------------------------------------------------- training

    def prepare(
        self, samples: list[Sample], tokens: list[Array], rng: np.random.Generator
    ) -> dict[str, Tensor]:
        """See `LearnedPolicy`: the scenes, and the answers for one valid pick of each."""
        states = np.stack([s.state for s in samples if s.state is not None])
        answers = [s.known for s in samples]
        if self.config.augment:
            motions, answers = moved_answers(samples, self.table, rng)
            states = move_rows(states, self._layout, self.table, motions)
        items, places = present_rows(states, self._layout)
        picks, chosen, targets = zip(
            *(self._targets(i, a, rng) for i, a in zip(items, answers, strict=True)), strict=True
        )
        numbers = {
            "items": items, "places": places,
            "valid": np.stack(picks), "answers": np.stack(targets),
            **named_rows(items, places, self._layout, [s.instruction for s in samples]),
        }  # fmt: skip
        made = {name: torch.from_numpy(each) for name, each in numbers.items()}
        return {**made, "item": torch.tensor(chosen), **pad_tokens(tokens)}

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
        parts = [
            (len(part["item"]) / len(batch["item"]), *self._losses(part))
            for part in self._parts(batch)
        ]
        loss = torch.stack([share * each for share, each, _ in parts]).sum()
        return loss, {
            name: torch.stack([share * each[name] for share, _, each in parts]).sum()
            for name in parts[0][2]
        }

    def _parts(self, batch: Mapping[str, Tensor]) -> Iterator[dict[str, Tensor]]:
        """Parts of a batch whose scenes have about as many rows, without rows that none needs.

        Most scenes have a dozen rows, and those with a rope or a pile up to a hundred.
        """
        items, places = (
            (batch[name][..., block.columns("present")][..., 0] > 0).sum(1)
            for name, block in (("items", self._layout.items), ("places", self._layout.places))
        )
        words, first = batch["mask"].sum(1), batch["items"].shape[1]
        for part in (items + places).argsort(stable=True).chunk(_PARTS):
            few = {name: each[part] for name, each in batch.items()}
            n, m, k = (max(1, int(each[part].max())) for each in (items, places, words))
            few |= {name: few[name][:, :n] for name in ("items", "valid")}
            few |= {name: few[name][:, :k] for name in ("tokens", "mask")}
            few["places"] = few["places"][:, :m]
            for name in ("nouns", "phrases"):
                few[name] = torch.cat([few[name][:, :n], few[name][:, first : first + m]], 1)
            yield few

    def _losses(self, batch: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """The result of `forward` for a part of a batch."""
        rows = Rows.of(batch["items"], batch["places"], self._layout)
        hidden, words, seen = self._encoded(batch, rows)
        item = batch["item"]
        picks = self._picks(hidden, rows).log_softmax(1)
        losses = {"pick": -_any(picks, batch["valid"]).mean()}

        answers = batch["answers"]
        known = ~answers.isnan().any(-1)
        answers = answers.nan_to_num()
        batches = torch.arange(len(item), device=item.device)
        at, yaw = rows.position[batches, item], rows.yaw[batches, item]
        held = answers[..., :2] - at[:, None, :2]  # (b, answers, 2)
        grasp = self._offset(self.grasp(hidden[batches, item]), yaw)
        missed = (grasp[:, None] - held).abs().sum(-1).masked_fill(~known, math.inf)
        losses["grasp"] = missed.amin(1).mean() / _SIGMA

        logits, places, turns = self._places(hidden, words, seen, item, rows, yaw)
        # The middle of the item after the action, which is held off its middle: (b, answers, 2).
        rotation = answers[..., 5] - answers[..., 2]
        middle = answers[..., 3:5] - grids.rotated(held, rotation)
        off = (
            (middle[:, :, None, None] - places[:, None]).abs().sum(-1)
        )  # (b, answers, rows, modes)
        where = logits.flatten(1).log_softmax(1)[:, None] - off.flatten(2) / _SIGMA
        turned = self._turned(turns, rotation, rows.yaw, yaw)
        turned = torch.where(answers[..., 6:] > 0, 0.0, turned)
        likely = (where.view_as(off).logsumexp(-1) + turned).logsumexp(-1)
        losses["place"] = -_any(likely, known).mean()
        with torch.no_grad():
            right = batch["valid"][batches, picks.argmax(1)]
            # Whether no other of the places that it offers is much nearer to an answer.
            apart = off.flatten(2).masked_fill(~known[..., None], math.inf).amin(1)
            near = apart[batches, logits.flatten(1).argmax(1)] < apart.amin(1) + _SIGMA
            scalars = {"picked right": right.float().mean(), "placed right": near.float().mean()}
        return torch.stack(list(losses.values())).sum(), losses | scalars

    # --------------------------------------------------------------------------------- acting

    def reset(self, env: gym.Env[Any, Any], rng: np.random.Generator) -> None:
        """See `LearnedPolicy`."""
        super().reset(env, rng)
        known = env.has_wrapper_attr("state_layout")
        self._layout = env.get_wrapper_attr("state_layout") if known else self._trained_layout
        self._rng, self._before = rng, None

    def _expected(self, env: gym.Env[Any, Any]) -> dict[str, list[int]]:
        """See `LearnedPolicy`: a state vector of this suite, with as many rows as the task has."""
        if not env.has_wrapper_attr("state_layout"):
            return super()._expected(env)
        return {"state": [env.get_wrapper_attr("state_layout").size]}

    @torch.no_grad()
    def select_action(
        self, observation: Mapping[str, Array], tokens: Array, instruction: str
    ) -> NDArray[np.float32]:
        """The most likely item, the most likely place for it, and the most likely turn.

        After an action that changed nothing, what failed of it is varied at random: the grasp,
        which may have missed a thing whose shape the state does not tell, or, where a thing was
        put back to where it was, the place.
        """
        state = np.asarray(observation["state"], np.float32)
        self._learn_from_last(state)
        items, places = map(torch.from_numpy, present_rows(state[None], self._layout))
        named = named_rows(items.numpy(), places.numpy(), self._layout, [instruction])
        numbers = {name: torch.from_numpy(each) for name, each in named.items()}
        batch = self.on_device(
            {"items": items, "places": places, **numbers, **pad_tokens([tokens])}
        )
        rows = Rows.of(batch["items"], batch["places"], self._layout)
        hidden, words, seen = self._encoded(batch, rows)
        item = self._picks(hidden, rows).argmax(1)
        yaw = rows.yaw[:, int(item)]
        held = self._offset(self.grasp(hidden[:, int(item)]), yaw)[0] + self._noise(self._missed)
        logits, spots, turns = self._places(hidden, words, seen, item, rows, yaw)
        row, mode = divmod(self._chosen(logits[0].flatten()), _MODES)
        peak = int(turns[0, row].argmax())
        frame, turn = divmod(peak, BINS)
        rotation = _mean_turn(turns[0, row].reshape(2, BINS)[frame], turn)
        if frame:
            rotation += float(rows.yaw[0, row] - yaw[0])
        angle = torch.tensor(rotation, device=self.device)
        pick = rows.position[0, int(item), :2] + held
        place = spots[0, row, mode] + self._noise(self._misplaced) + grids.rotated(held, angle)
        action = self.clip(np.array([*pick.tolist(), 0.0, *place.tolist(), wrap(rotation)]))
        self._before = state.copy(), action
        return action

    def _learn_from_last(self, state: NDArray[np.float32]) -> None:
        """Count how often in a row the grasp, or the place, has failed."""
        missed = misplaced = False
        if self._before is not None and np.allclose(state, self._before[0], atol=_STILL):
            pick, place = self._before[1][:2], self._before[1][3:5]
            missed = bool(np.hypot(*(place - pick)) > _MOVE)
            misplaced = not missed
        self._missed = self._missed + 1 if missed else 0
        self._misplaced = self._misplaced + 1 if misplaced else 0

    def _noise(self, failures: int) -> Tensor:
        """What to add to a position (2,): the more often it failed, the more."""
        scale = _SIGMA * min(failures, 3)
        return torch.tensor(self._rng.laplace(0, scale, 2), dtype=torch.float32).to(self.device)

    def _chosen(self, logits: Tensor) -> int:
        """The most likely place of some (n,), or a random one after one that failed."""
        return grids.sample(logits, self._rng) if self._misplaced else int(logits.argmax())

    # ---------------------------------------------------------------------------------- parts

    def _encoded(self, batch: Mapping[str, Tensor], rows: Rows) -> tuple[Tensor, Tensor, _Seen]:
        """What the trunk makes of the rows, which attend to one another and to the words.

        Returns:
            Features (b, rows, width), words (b, words, width), and how rows lie to one another.
        """
        middle = rows.position.new_tensor([*self.table.middle, 0])
        scaled = (rows.position - middle) / rows.position.new_tensor([0.25, 0.25, 0.05])
        is_place = torch.zeros_like(scaled[..., :1])
        is_place[:, rows.items :] = 1
        heading = torch.stack([rows.yaw.sin(), rows.yaw.cos()], -1)
        parts = [scaled, heading, rows.color, rows.size * 20, is_place]
        paints = batch["phrase colors"]
        alike = colors.likeness(rows.color, paints) + (1 - paints[:, None, :, 3])
        parts += [colors.likeness(rows.color, batch["colors"]), batch["nouns"]]
        features = torch.cat([*parts, alike * batch["phrases"]], -1)
        special = self.base(rows.base) + self.variant(rows.variant)
        names = self._dropped(self.kind(rows.kind)) + self._dropped(special)
        words, mask = self.word(batch["tokens"]), batch["mask"]
        order = torch.arange(words.shape[1], device=words.device).clamp(max=63)
        if self.training:
            kept = torch.rand(mask.shape, device=mask.device) >= self.config.token_dropout
            mask = mask & kept
        hidden, words = self.row(features) + names, self.heard(words + self.order(order))
        seen = self._seen(rows, torch.cat([rows.present, mask], 1))
        for layer, bias in zip(self.trunk, seen.biases, strict=False):
            hidden = layer(hidden, words, bias)
        return hidden, words, seen

    def _dropped(self, names: Tensor) -> Tensor:
        """Names (b, rows, width) of rows, of which training leaves some out."""
        if not self.training:
            return names
        kept = torch.rand(names.shape[:2], device=names.device) >= self.config.kind_dropout
        left: Tensor = names * kept[..., None]
        return left

    def _seen(self, rows: Rows, there: Tensor) -> _Seen:
        """How rows lie to one another; `there` (b, n) says which rows and words there are."""
        apart = (rows.position[:, None] - rows.position[:, :, None]) * 5  # (b, rows, rows, 3)
        distance = apart[..., :2].norm(dim=-1, keepdim=True)
        ahead = grids.rotated(apart[..., :2], -rows.yaw[:, :, None])
        same = (rows.color[:, None] - rows.color[:, :, None]).abs().sum(-1, keepdim=True) < 0.05
        kinds, variants = rows.kind[..., None], rows.variant[..., None]
        alike = kinds[:, None] == kinds[:, :, None]
        fits = (variants[:, None] == variants[:, :, None]) & (variants[:, None] > 0)
        near = (-4 * distance).exp()
        larger = (rows.size[:, None] - rows.size[:, :, None]) * 20
        pairs = torch.cat([apart, distance, near, ahead, same, alike, fits, larger], -1)
        words = there.shape[1] - rows.position.shape[1]
        biases = F.pad(self.pairs(pairs).permute(0, 3, 1, 2), (0, words))
        biases = biases.masked_fill(
            ~there[:, None, None], -1e4
        )  # (b, (layers + 1) * heads, rows, n)
        return _Seen(pairs, biases.chunk(self.config.layers + 1, 1))

    def _picks(self, hidden: Tensor, rows: Rows) -> Tensor:
        """Logits (b, items)."""
        return _masked(self.pick(hidden[:, : rows.items])[..., 0], rows.present[:, : rows.items])

    def _places(
        self, hidden: Tensor, words: Tensor, seen: _Seen, item: Tensor, rows: Rows, yaw: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Where an item (b,) goes that has a yaw (b,).

        Returns:
            Logits (b, rows, modes), places (b, rows, modes, 2) in metres, and logits of turns
            (b, rows, 2 BINS).
        """
        batches = torch.arange(len(item), device=item.device)
        mark = self.related(seen.pairs[batches, :, item])
        own = torch.zeros_like(mark)
        own[batches, item] = self.picked(hidden[batches, item]).to(own.dtype)
        hidden = self.last(hidden + mark + own, words, seen.biases[-1])
        picked = hidden[batches, item][:, None].expand_as(hidden)
        both = torch.cat([hidden, picked], -1)
        out = self.place(both)
        modes, turns = out.split([_MODES * _MODE, 2 * BINS], -1)
        logits, offset, weights = modes.unflatten(-1, (_MODES, _MODE)).split([1, 4, 2], -1)
        at = rows.position[:, :, None, :2]
        # The last place of a row lies between rows that it points at, as a beam does on two posts.
        scores = self.between(both) @ self.end(hidden).mT / math.sqrt(self.config.width)
        shares = _masked(scores, rows.present[:, None]).softmax(-1)
        middle = (shares[..., None] * rows.position[:, None, :, :2]).sum(2, keepdim=True)
        starts = torch.cat([at.expand(-1, -1, _MODES - 1, -1), middle], 2)
        places = starts + self._offset(offset, rows.yaw[..., None])
        taken = self._taken(places.detach(), item, rows)
        logits = (logits[..., 0] + (weights * taken).sum(-1)).float()
        return logits.masked_fill(~rows.present[..., None], -1e4), places, turns

    def _taken(self, places: Tensor, item: Tensor, rows: Rows) -> Tensor:
        """How near items lie to places (b, rows, modes, 2), 0..1: any, and one like the picked.

        Neither the item that is picked counts, nor that of the row.
        """
        batches = torch.arange(len(item), device=item.device)
        there = rows.present[:, : rows.items].clone()
        there[batches, item] = False
        there = there[:, None].repeat(1, places.shape[1], 1)
        there.diagonal(dim1=1, dim2=2).fill_(False)  # (b, rows, items)
        apart = places[:, :, :, None] - rows.position[:, None, None, : rows.items, :2]
        near = (-apart.norm(dim=-1) / _NEAR).exp() * there[:, :, None]  # (b, rows, modes, items)
        look = torch.cat([rows.kind[..., None], rows.variant[..., None], rows.color], -1)
        look = look[:, : rows.items]
        alike = (look - look[batches, item][:, None]).abs().sum(-1) < 0.05
        every = near.amax(-1)
        return torch.stack([every, (near * alike[:, None, None]).amax(-1)], -1)

    def _offset(self, numbers: Tensor, yaw: Tensor) -> Tensor:
        """Offsets (..., 2), metres: a part in the frame of a row, and one in the world's."""
        return (grids.rotated(numbers[..., :2], yaw) + numbers[..., 2:]) * _SCALE

    def _turned(self, turns: Tensor, rotation: Tensor, rows: Tensor, yaw: Tensor) -> Tensor:
        """Log-likelihood (b, answers, rows) of rotations (b, answers)."""
        count = rows.shape[1]
        zero = torch.zeros_like(rows)
        frames = torch.stack([zero, rows - yaw[:, None]], -1)  # (b, rows, 2)
        steps = (rotation[:, :, None, None] - frames[:, None]) / (2 * math.pi / BINS) % BINS
        low = steps.floor()
        part = steps - low
        log_probs = turns.float().log_softmax(-1).flatten(1)
        first = BINS * torch.arange(2 * count, device=rows.device).reshape(count, 2)

        def at(index: Tensor) -> Tensor:
            flat = (first + index.long() % BINS).flatten(1)
            return log_probs.gather(1, flat).reshape(index.shape)

        return ((1 - part) * at(low) + part * at(low + 1)).logsumexp(-1)


@dataclass(frozen=True)
class _Seen:
    """How rows lie to one another: (b, rows, rows, _PAIR), each as the first sees the second.

    `biases` are those of attention in each layer: (b, heads, rows, rows + words).
    """

    pairs: Tensor
    biases: Sequence[Tensor]


_FEATURES = 3 + 2 + 3 + 3 + 1
_PAIR = 3 + 1 + 1 + 2 + 3 + 3
_MODE = 1 + 4 + 2  # a logit, an offset, and the weights of what is there


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
        width = x.shape[-1] // (count * self.heads)
        return x.view(*x.shape[:2], count, self.heads, width).permute(2, 0, 3, 1, 4)


def _masked(logits: Tensor, there: Tensor) -> Tensor:
    return logits.float().masked_fill(~there, -1e4)


def _any(log_probs: Tensor, valid: Tensor) -> Tensor:
    """The log-probability (b,) that one of the valid ones (b, n) is chosen."""
    return log_probs.masked_fill(~valid, -1e4).logsumexp(1)


def _mean_turn(logits: Tensor, peak: int) -> float:
    """The mean angle of a bin and its two neighbours, radians."""
    near = [(peak + k) % BINS for k in (-1, 0, 1)]
    probs: Any = logits[near].softmax(0)
    return float(peak + probs[2] - probs[0]) * 2 * math.pi / BINS
