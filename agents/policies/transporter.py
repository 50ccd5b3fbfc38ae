"""The transporter: probabilities of where to pick, and of where to place and how turned.

After Transporter Networks (Zeng et al., 2020, arXiv 2010.14406) and CLIPort (Shridhar et al., 2021,
arXiv 2109.12098), with three things of our own that make it learn in minutes on two CPU cores;
docs/agents.md has what each is worth:

1. Both streams share one trunk for picking and placing, which works on a sixteenth of the pixels.
2. Placing goes from coarse to fine. A crop of features about the pick, turned in 36 ways, is
   correlated with the whole scene at 12.5 mm a pixel; then a second, small pair of networks
   correlates crops of the picture itself, at 6.25 mm and 3 degrees, about the best place.
3. Targets are shared between neighbouring pixels and turns in proportion to their distance, so
   that probabilities also say where between them the place lies: errors are about a millimetre.

A push has the same six numbers: it starts at the pick and ends at the place.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from agents.data.augment import Table, augmented, colors_of, noisy, pictures, wrap
from agents.data.demonstrations import Sample
from agents.errors import AgentsError
from agents.options import check_range
from agents.policies.base import About, Learner, pad_tokens
from agents.policies.correlation import correlate, crops, window
from agents.policies.language import Clip, ClipVisual
from agents.policies.language import encoder as language_of
from agents.policies.networks import Decoder, Encoder, Residual, Sentence


@dataclass(frozen=True)
class Options:
    """Hyperparameters. Sizes in pixels are those of the observation, 3.125 mm."""

    width: int = 32
    """Channels at a quarter of the resolution; 1.5 times as many at an eighth, twice at a 16th."""
    features: int = 8
    """Channels that are correlated."""
    rotations: int = 36
    """Turns of the crop between which placing chooses."""
    rotations_trained: int = 8
    """Turns that a training step looks at: the two next to the true one and others at random."""
    crop: int = 64
    """Side of the crop about the pick, 20 cm."""
    jitter: float = 0.008
    """Metres, standard deviation by which picks are moved in training, and places with them."""
    refine: bool = True
    """Whether placing is refined at 6.25 mm and 3 degrees."""
    refine_width: int = 32
    """Channels of the refining networks."""
    refine_features: int = 16
    """Channels that they correlate."""
    clip: bool = False
    """Whether the reading stream sees through CLIP's frozen pictures; needs a clip: encoder."""
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
        check_range(self, 1, math.inf, "width", "features", "refine_width", "refine_features")
        check_range(self, 0, math.inf, "jitter", "noise")
        if self.crop % 8 or self.crop <= 0:
            raise ValueError(f"crop must be a positive multiple of 8, not {self.crop}")
        if not 4 <= self.rotations_trained <= self.rotations:
            raise ValueError("rotations_trained must be from 4 to rotations")


COARSE = 4
"""Pixels of the observation in one of the trunk's, and in one of the coarse places."""
HALF = 2
"""Pixels of the observation in one of the picks, and of the refining networks."""
REACH = 4
"""Cells of HALF pixels to each side of the coarse place between which refining chooses."""
FINE_TURN = math.radians(3)
FINE_TURNS = 9
_FINE_CROP = 48  # pixels: 15 cm
_FINE_RIM = 16  # pixels more of the key, so that it can be turned


class Transporter(Learner):
    """Pick by attention, place by correlation; of two streams the second one reads."""

    obs_mode = "rgbd"
    Config = Options
    run = {  # docs/agents.md has what else was tried
        "steps": 1200, "batch_size": 8, "learning_rate": 2e-3, "warmup": 80, "weight_decay": 0.05,
        "clip_norm": 5.0,
    }  # fmt: skip

    def __init__(self, config: Options, about: About) -> None:
        super().__init__(config, about)
        self.table = Table.of(about)
        widths = (config.width, config.width * 3 // 2, config.width * 2)
        self.sentence = Sentence(about.encoder_width, about.encoder == "words")
        self.spatial = nn.ModuleList([Encoder(4, widths), Decoder(widths)])
        self._clip = (
            (_clip(about.encoder),) if config.clip else None
        )  # a tuple: its weights are not ours
        if self._clip is None:
            encoder: nn.Module = Encoder(3, widths, self.sentence.outputs)
        else:  # of CLIP's four scales those that the decoder has
            pairs = zip(self._clip[0].widths, widths, strict=False)
            encoder = nn.ModuleList(nn.Conv2d(theirs, ours, 1) for theirs, ours in pairs)
        self.semantic = nn.ModuleList([encoder, Decoder(widths, self.sentence.outputs)])
        self.pick = nn.Conv2d(config.width, (COARSE // HALF) ** 2, 1)
        self.query = nn.Conv2d(config.width, config.features, 1)
        self.key = nn.Conv2d(config.width, config.features, 1)
        self.sharpness = nn.Parameter(torch.tensor(1 / (config.features * config.crop / COARSE)))
        if config.refine:
            self.fine_query, self.fine_key = _Refiner(config), _Refiner(config)
            norm = math.sqrt(config.refine_features) * _FINE_CROP / HALF
            self.fine_sharpness = nn.Parameter(torch.tensor(1 / norm))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._last: tuple[Tensor, Tensor] | None = None

    @classmethod
    def check(cls, config: Options, encoder: str) -> None:
        """See `Learner`: CLIP's pictures."""
        if config.clip:
            _clip(encoder)

    # ------------------------------------------------------------------------------- training

    def prepare(
        self,
        samples: list[Sample],
        tokens: list[NDArray[Any]],
        rng: np.random.Generator,
        train: bool,
    ) -> dict[str, Tensor]:
        """A batch; all of a training step is drawn here but which tokens `Sentence` leaves out."""
        config, b = self.config, len(samples)
        scenes, tables = pictures([s.color for s in samples], [s.height for s in samples])
        actions = np.stack([s.action for s in samples])
        if train and config.augment:
            scenes, actions = augmented(scenes, actions, self.table, rng)
        if train and config.noise:
            scenes = noisy(scenes, config.noise, rng)
        pick, place = actions[:, 0:2], actions[:, 3:5]
        turn = actions[:, 5] - actions[:, 2]

        # Wherever an item is held, it ends up in the same place if the tip does so too.
        offset = rng.normal(0, config.jitter if train else 0, (b, 2))
        cos, sin = np.cos(turn), np.sin(turn)
        carried = np.stack([cos * offset[:, 0] - sin * offset[:, 1],
                            sin * offset[:, 0] + cos * offset[:, 1]], 1)  # fmt: skip
        # Coarse places are about right: refining learns from such that are off by up to its reach.
        off = rng.uniform(-1, 1, (b, 3)) * [*[_cell(self.table, HALF) * (REACH - 1)] * 2,
                                            FINE_TURN * (FINE_TURNS // 2 - 1)]  # fmt: skip
        steps = turn / (2 * math.pi / config.rotations) % config.rotations
        first = np.floor(steps).astype(int)
        others = [
            rng.permutation(config.rotations - 2)[: config.rotations_trained - 2] for _ in first
        ]
        turns = np.concatenate([np.tile([0, 1], (b, 1)), np.stack(others) + 2], 1) + first[:, None]
        words, mask = pad_tokens(tokens)
        numbers = {
            "pick": pick, "grasp": pick + offset, "place": place + carried, "turn": turn,
            "between": steps % 1,  # of the first two turns
            "near": place + carried + off[:, :2], "near_turn": turn + off[:, 2],
        }  # fmt: skip
        return {
            "picture": scenes.contiguous(memory_format=torch.channels_last), "table": tables,
            "tokens": words, "mask": mask, "turns": torch.from_numpy(turns % config.rotations),
            **{name: torch.from_numpy(value.astype(np.float32)) for name, value in numbers.items()},
        }  # fmt: skip

    def loss(self, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Cross-entropies of picks, coarse places and refined places, in nats."""
        features = self._features(*(batch[name] for name in ("picture", "table", "tokens", "mask")))
        pick = self._cells(batch["pick"], HALF)
        parts = {"pick": _cross_entropy(self._picks(features)[:, None], F.pad(pick, (1, 0)))}

        turns = batch["turns"]
        scores = self._places(features, batch["grasp"], turns)
        target = torch.cat([batch["between"][:, None], self._cells(batch["place"], COARSE)], 1)
        parts["place"] = _cross_entropy(scores, target)

        if self.config.refine:
            near, near_turn = batch["near"], batch["near_turn"]
            scores = self._refined(batch["picture"], batch["grasp"], near, near_turn)
            moved = (batch["place"] - near) / _cell(self.table, HALF) + REACH
            spun = (batch["turn"] - near_turn) / FINE_TURN + FINE_TURNS // 2
            parts["refine"] = _cross_entropy(scores, torch.cat([spun[:, None], moved], 1))
        return torch.stack(list(parts.values())).sum(), parts

    # --------------------------------------------------------------------------------- acting

    @torch.no_grad()
    def predict(
        self, observation: Mapping[str, NDArray[Any]], tokens: NDArray[Any]
    ) -> NDArray[np.float32]:
        """(6,) the likeliest action; the pick's yaw is 0 and the place's is the turn."""
        parts = pictures([observation["color"]], [observation["height"]]), pad_tokens([tokens])
        picture, table, words, mask = (part.to(self.device) for pair in parts for part in pair)
        picture = picture.contiguous(memory_format=torch.channels_last)
        features = self._features(picture, table, words, mask)
        picks = self._picks(features)
        pick = self._point(_peak(picks)[1:], HALF)[None]
        all_turns = torch.arange(self.config.rotations, device=self.device)[None]
        places = self._places(features, pick, all_turns)[0]
        step, *cell = _peak(places)
        place = self._point(cell, COARSE)[None]
        turn = torch.tensor([step * 2 * math.pi / self.config.rotations], device=self.device)
        if self.config.refine:
            step, *cell = _peak(self._refined(picture, pick, place, turn)[0], around=False)
            moved = (torch.tensor(cell, device=self.device) - REACH) * _cell(self.table, HALF)
            place, turn = place + moved, turn + (step - FINE_TURNS // 2) * FINE_TURN
        self._last = picks[0], places
        yaw = wrap(float(turn))
        return self.clipped(np.array([*pick[0].tolist(), 0.0, *place[0].tolist(), yaw]))

    def heatmaps(self) -> dict[str, NDArray[np.float32]] | None:
        """Of the last action: probabilities (160, 320) by the greatest, of places in any turn."""
        if self._last is None:
            return None
        picks, places = self._last
        maps = {"pick": picks, "place": places.logsumexp(0)}
        shape = self.table.shape
        return {
            name: F.interpolate((m - m.max()).exp()[None, None], shape, mode="bilinear")[0, 0]
            .cpu()
            .numpy()
            for name, m in maps.items()
        }

    # ---------------------------------------------------------------------------------- parts

    def _features(self, picture: Tensor, table: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
        """(b, 4, 160, 320), the table's colour (b, 3) and a sentence -> (b, width, 40, 80)."""
        encoder: Any = self.semantic[0]
        decoder = self.semantic[1]
        sentence = self.sentence(tokens, mask)
        if self._clip is None:
            seen = encoder(picture[:, :3], sentence)
        else:
            self._clip[0].to(picture.device)
            maps = self._clip[0](colors_of(picture, table))
            seen = [narrow(each) for narrow, each in zip(encoder, maps, strict=False)]
        lateral = decoder(seen, sentence)
        encoder, decoder = self.spatial
        finest: Tensor = decoder(encoder(picture), lateral=lateral)[-1]
        return finest

    def _picks(self, features: Tensor) -> Tensor:
        """(b, 80, 160) logits."""
        return F.pixel_shuffle(self.pick(features), COARSE // HALF)[:, 0].float()

    def _places(self, features: Tensor, grasp: Tensor, turns: Tensor) -> Tensor:
        """Logits of placing what is held.

        Args:
            features: (b, width, 40, 80).
            grasp: (b, 2) where the item is held, metres.
            turns: (b, r) of the item, in steps of a full turn / rotations.

        Returns:
            (b, r, 40, 80).
        """
        scene, keys = self.query(features).float(), self.key(features).float()
        angles = turns * (2 * math.pi / self.config.rotations)
        # What lies at grasp + u comes to lie at place + turn(u).
        points = window(self.config.crop // COARSE, _cell(self.table, COARSE), like=grasp)
        kernels = crops(keys, self.table, grasp[:, None], points, -angles)
        return correlate(scene, kernels) * self.sharpness

    def _refined(self, picture: Tensor, grasp: Tensor, near: Tensor, turn: Tensor) -> Tensor:
        """Logits of small corrections of a place.

        Args:
            picture: (b, 4, 160, 320).
            grasp: (b, 2) where the item is held, metres.
            near: (b, 2) about where it goes, metres.
            turn: (b,) about how it turns, radians.

        Returns:
            (b, FINE_TURNS, 2 REACH + 1, 2 REACH + 1), steps of FINE_TURN and HALF pixels.
        """
        pixel, n = self.table.pixel, _FINE_CROP // HALF
        straight = torch.zeros_like(turn)[:, None]
        points = window(_FINE_CROP + 2 * REACH * HALF, pixel, middle=True, like=grasp)
        scene = self.fine_query(crops(picture, self.table, near[:, None], points, straight)[:, 0])
        points = window(_FINE_CROP + _FINE_RIM, pixel, middle=True, like=grasp)
        key = self.fine_key(
            crops(picture, self.table, grasp[:, None], points, -turn[:, None])[:, 0]
        )
        side = (_FINE_CROP + _FINE_RIM) // HALF
        frame = Table((-side / 2, -side / 2), (side, side), (side, side))
        steps = torch.arange(FINE_TURNS, device=turn.device) - FINE_TURNS // 2
        angles = (-FINE_TURN * steps).expand(len(turn), -1)
        origin = grasp.new_zeros(len(turn), 1, 2)
        kernels = crops(key.float(), frame, origin, window(n, 1.0, middle=True, like=grasp), angles)
        return correlate(scene.float(), kernels, inside=True) * self.fine_sharpness

    def _cells(self, points: Tensor, scale: int) -> Tensor:
        """World (b, 2) -> rows and columns of cells of `scale` pixels, whole in their middles."""
        return (points - points.new_tensor(self.table.low)) / _cell(self.table, scale) - 0.5

    def _point(self, cell: list[float], scale: int) -> Tensor:
        """The inverse of `_cells` for one point, (2,)."""
        return torch.tensor(
            [low + (c + 0.5) * _cell(self.table, scale)
             for low, c in zip(self.table.low, cell, strict=True)],
            dtype=torch.float32, device=self.device,
        )  # fmt: skip


class _Refiner(nn.Sequential):
    """Crops of the picture (b, 4, n, n) -> features (b, refine_features, n / 2, n / 2)."""

    def __init__(self, config: Options) -> None:
        width = config.refine_width
        super().__init__(
            nn.PixelUnshuffle(HALF),
            nn.Conv2d(4 * HALF**2, width, 3, 1, 1),
            nn.ReLU(),
            Residual(width, width),
            Residual(width, width),
            nn.Conv2d(width, config.refine_features, 1),
        )


def _clip(encoder: str | None) -> ClipVisual:
    found = language_of(encoder or "")
    if not isinstance(found, Clip):
        raise AgentsError(
            f"the encoder {encoder} has no pictures; give --encoder clip:RN50/openai with "
            "--transporter.clip"
        )
    return found.visual()


def _cell(table: Table, scale: int) -> float:
    """Metres."""
    return table.pixel * scale


def _cross_entropy(scores: Tensor, cells: Tensor) -> Tensor:
    """Of logits against a target between the cells of a grid, in nats.

    The target's eight neighbours share its probability as in trilinear interpolation.

    Args:
        scores: (b, k, h, w) logits.
        cells: (b, 3) where the target is in k, h and w; whole numbers are middles of cells.
    """
    b, *shape = scores.shape
    log_probs = scores.flatten(1).log_softmax(1).reshape(scores.shape)
    lower = cells.floor()
    part = cells - lower
    batch, total = torch.arange(b, device=cells.device), scores.new_zeros(())
    for corner in itertools.product((0, 1), repeat=3):
        share = torch.stack([part[:, d] if c else 1 - part[:, d] for d, c in enumerate(corner)])
        at = [(lower[:, d].long() + c).clamp(0, shape[d] - 1) for d, c in enumerate(corner)]
        total = total - (share.prod(0) * log_probs[batch, at[0], at[1], at[2]]).sum()
    return total / b


def _peak(scores: Tensor, around: bool = True) -> list[float]:
    """Where the likeliest cell's neighbourhood has its mean.

    Args:
        scores: (k, h, w) logits.
        around: whether the last of the k is next to the first.

    Returns:
        [k, h, w], fractions of a cell included.
    """
    k = scores.shape[0]
    best = [int(i) for i in np.unravel_index(int(scores.argmax()), scores.shape)]
    ranges = [range(max(i - 1, 0), min(i + 2, n)) for i, n in zip(best, scores.shape, strict=True)]
    if around and k > 2:
        ranges[0] = range(best[0] - 1, best[0] + 2)
    grid = scores[[i % k for i in ranges[0]]][:, list(ranges[1])][:, :, list(ranges[2])]
    probs = grid.flatten().softmax(0).reshape(grid.shape)
    return [
        float((probs.sum([d for d in range(3) if d != axis]).cpu() * torch.tensor(span)).sum())
        for axis, span in enumerate(ranges)
    ]
