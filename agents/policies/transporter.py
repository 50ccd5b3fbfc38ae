"""The transporter: a distribution over picks, and one over places and rotations.

After Transporter Networks (Zeng et al., 2020, arXiv 2010.14406) and CLIPort (Shridhar et al., 2021,
arXiv 2109.12098), with three changes that make it train in minutes on two CPU cores:

1. Picking and placing share one trunk of two streams, which works at a quarter of the resolution.
2. Placing goes from coarse to fine. A crop of features around the pick, in 36 rotations, is
   correlated with the whole scene at 12.5 mm a pixel. Then a second, small pair of networks
   correlates crops of the image around the best place, at 6.25 mm, in rotations of 3 degrees.
3. Targets have bilinear weights on the neighbouring pixels and rotations, so that probabilities
   interpolate between them.

A push is the same six numbers: it starts at the pick and ends at the place.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from agents.data.augment import prepared, wrap
from agents.data.colors import colors_in, likeness_maps
from agents.data.demonstrations import Sample
from agents.data.images import colors_of, pictures
from agents.data.table import Table
from agents.errors import AgentsError
from agents.policies import grids, networks
from agents.policies.base import Array, PolicySpec
from agents.policies.clip import clip_visual
from agents.policies.learned import LearnedPolicy, pad_tokens
from agents.ranges import Amount, Checked, Width
from gensim_envs.utils.decode import Range

if TYPE_CHECKING:
    import gymnasium as gym


@dataclass(frozen=True)
class TransporterConfig(Checked):
    """Hyperparameters of the transporter. A pixel of the images is 3.125 mm."""

    option_prefix = "transporter."

    width: Width = 32
    """Channels at 1/4 of the resolution; 1.5 times as many at 1/8, twice as many at 1/16."""
    features: Width = 8
    """Channels of the query and key features that are cross-correlated."""
    rotations: Annotated[int, Range(4, 360)] = 36
    """Rotations of the crop among which placing chooses."""
    rotations_trained: Annotated[int, Range(4, 360)] = 8
    """Rotations in a training step: the two next to the target, and others at random."""
    crop: Annotated[int, Range(8, 160)] = 64
    """Side of the crop around the pick, in pixels."""
    jitter: Amount = 0.008
    """Standard deviation of the shift of picks in training, in metres; places move with them."""
    refine: bool = True
    """Refine places at 6.25 mm and rotations at 3 degrees."""
    refine_width: Width = 32
    """Channels of the refining networks."""
    refine_features: Width = 16
    """Channels of the query and key features of the refining networks."""
    color_words: bool = True
    """Without CLIP, replace colours by likeness maps of the instruction's colour words, and by
    contrasts with the table."""
    condition: bool = True
    """Condition placing on the features and the colour of the picked item."""
    clip: bool = False
    """Use the frozen image encoder of CLIP in the semantic stream; needs a clip: encoder."""
    augment: bool = True
    """Rotate and shift scenes in training."""
    noise: Amount = 0.0
    """Standard deviation of the sensor noise added in training: this many metres for heights,
    and ten times this value for colours, which range from 0 to 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.crop % 8:
            raise AgentsError(f"--transporter.crop is {self.crop}; expected a multiple of 8")
        if not 4 <= self.rotations_trained <= self.rotations:
            raise AgentsError(
                f"--transporter.rotations-trained is {self.rotations_trained}; expected 4 to "
                f"--transporter.rotations, which is {self.rotations}"
            )


WORDS = 6
"""Colour words of an instruction that it gets, in the order in which they are named: all of them,
in every task of the suite."""
COARSE = 4
"""Pixels in a cell of the trunk and of coarse places."""
HALF = 2
"""Pixels in a cell of picks and of the refining networks."""
REACH = 4
"""Cells of HALF pixels on each side of a coarse place among which refining chooses."""
FINE_ROTATION = math.radians(3)
FINE_ROTATIONS = 9
"""Rotations for which refining looks at one crop."""
FRAMES = round(2 * math.pi / (FINE_ROTATION * (FINE_ROTATIONS - 1)))
"""Crops that cover the circle: the last rotation of each is the first one of the next."""
FRAMES_TRAINED = 2
"""Crops in a training step: one near the target, and one at random."""
_ANSWERS = 32  # right places of a sample that count, if they are more
_LIKE = 0.1  # the least likeness that is scaled to 1; maps of less are divided by it
_MIXTURE = (1 / 3, 1 / 3, 1 / 3)  # red, green and blue in what counts as lightness
_SMALL = 8  # pixels along a side whose mean is compared with that of an earlier image
_SAME = 0.2  # the largest difference of these means in images that count as the same
_FINE_CROP = 48  # pixels: 15 cm
_FINE_RIM = 16  # additional pixels of the key, so that it can be rotated


class Transporter(LearnedPolicy):
    """Picks by attention and places by correlation; the semantic stream reads the instruction."""

    obs_mode = "rgbd"
    config_class = TransporterConfig
    train_defaults = {  # docs/ablations.md lists the alternatives that were tried
        "steps": 1200, "batch_size": 8, "learning_rate": 2e-3, "warmup": 80, "weight_decay": 0.05,
        "clip_norm": 5.0,
    }  # fmt: skip

    def __init__(self, config: TransporterConfig, spec: PolicySpec) -> None:
        super().__init__(config, spec)
        self.table = spec.table
        self._coarse, self._half = self.table.pixel * COARSE, self.table.pixel * HALF
        widths = (config.width, config.width * 3 // 2, config.width * 2)
        self.instruction = networks.InstructionPooling(spec.encoder_width, spec.encoder == "words")
        self._color_words = config.color_words and not config.clip
        seen, spatial = (WORDS + 2, 3) if self._color_words else (3, 4)
        self.spatial = nn.ModuleList([networks.Encoder(spatial, widths), networks.Decoder(widths)])
        # In a tuple, so that its weights are not part of the module.
        self._clip = (clip_visual(spec.encoder),) if config.clip else None
        if self._clip is None:
            encoder: nn.Module = networks.Encoder(seen, widths, self.instruction.outputs)
        else:  # the decoder uses the three finest of the four scales
            pairs = zip(self._clip[0].widths, widths, strict=False)
            encoder = nn.ModuleList(nn.Conv2d(theirs, ours, 1) for theirs, ours in pairs)
        self.semantic = nn.ModuleList([encoder, networks.Decoder(widths, self.instruction.outputs)])
        self.pick = nn.Conv2d(config.width, (COARSE // HALF) ** 2, 1)
        self.query = nn.Conv2d(config.width + config.condition, config.features, 1)
        self.picked = networks.FiLM(config.width, config.width) if config.condition else None
        self.key = nn.Conv2d(config.width, config.features, 1)
        self.sharpness = nn.Parameter(torch.tensor(1 / (config.features * config.crop / COARSE)))
        if config.refine:
            self.fine_query, self.fine_key = (
                networks.refiner(config.refine_width, config.refine_features) for _ in range(2)
            )
            norm = math.sqrt(config.refine_features) * _FINE_CROP / HALF
            self.fine_sharpness = nn.Parameter(torch.tensor(1 / norm))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._last: tuple[Tensor, Tensor] | None = None
        self._rng = np.random.default_rng(0)
        self._visited: list[tuple[str, Tensor]] = []

    @classmethod
    def check_requirements(cls, config: TransporterConfig, encoder: str) -> None:
        """See `LearnedPolicy`."""
        if config.clip:
            clip_visual(encoder)

    # ------------------------------------------------------------------------------- training

    def prepare(
        self, samples: list[Sample], tokens: list[Array], rng: np.random.Generator
    ) -> dict[str, Tensor]:
        """See `LearnedPolicy`; everything random of a step is drawn here, except token dropout.

        Returns:
            `image` (b, 4, 160, 320) and `table` (b, 3) of `pictures`; `tokens` and `mask`;
            `colors` (b, WORDS, 4) of `colors_in`; `mixture` (b, 3) of `_mixtures`; `item` (b, 2),
            the pick, and `grasp` (b, 2), where the item is held, metres; `picks` (b, n, 2), the
            right picks, metres; `rotations` (b, r), those that are trained, in steps; `places`
            (b, n, 3) of `_equals`; `near` (b, 2), where refining looks, metres; `frames`
            (b, FRAMES_TRAINED), radians; `fine` (b, n, 3) of `_fine`.
        """
        config, b = self.config, len(samples)
        scenes, tables, _, answers = prepared(samples, self.table, config, rng)
        drawn = [_draw(each, rng) for each in answers]
        actions = np.stack([each[0] for each in drawn])
        rotation = actions[:, 5] - actions[:, 2]

        # An item that is held off its centre reaches the same pose if the place is shifted too.
        offset = rng.normal(0, config.jitter, (b, 2))
        carried = _rotated(offset, rotation)
        # Refining is trained on coarse places that are off by up to its reach.
        off = rng.uniform(-1, 1, (b, 3)) * [*[self._half * (REACH - 1)] * 2,
                                            FINE_ROTATION * (FINE_ROTATIONS // 2 - 1)]  # fmt: skip
        near = actions[:, 3:5] + carried + off[:, :2]
        frames = rng.uniform(-math.pi, math.pi, (b, FRAMES_TRAINED))
        frames[:, 0] = rotation + off[:, 2]
        fine = np.stack([
            self._fine(own, *each)
            for (_, own), *each in zip(drawn, offset, near, frames, strict=True)
        ])  # fmt: skip
        rotations = np.stack([self._rotations(own, rng) for _, own in drawn])
        places = np.stack([
            self._equals(own, shift, among, rng)
            for (_, own), shift, among in zip(drawn, offset, rotations, strict=True)
        ])  # fmt: skip
        picks = [rng.permutation(np.unique(each[:, :2], axis=0)) for each in answers]
        numbers = {
            "item": actions[:, :2], "grasp": actions[:, :2] + offset, "near": near,
            "frames": frames, "fine": fine, "places": places,
            "picks": np.stack([_padded(each, _ANSWERS) for each in picks]),
            "mixture": _mixtures(b, rng),
        }  # fmt: skip
        names = np.stack([colors_in(each.instruction, WORDS) for each in samples])
        return {
            "image": scenes.contiguous(memory_format=torch.channels_last), "table": tables,
            "colors": torch.from_numpy(names),
            "rotations": torch.from_numpy(rotations), **pad_tokens(tokens),
            **{name: torch.from_numpy(value.astype(np.float32)) for name, value in numbers.items()},
        }  # fmt: skip

    def _rotations(self, own: Array, rng: np.random.Generator) -> NDArray[np.int64]:
        """The rotations that are trained: the two next to the first answer, and others at random.

        The others leave out correct rotations (symmetric ones), if enough remain.

        Args:
            own: (k, 7) the answers for one pick.
            rng: the only randomness.
        """
        count = self.config.rotations
        steps = self._steps(own)
        first = int(steps[0])
        near = [first % count, (first + 1) % count]
        others = np.array([k for k in rng.permutation(count) if k not in near])
        apart = np.abs((others[:, None] - steps + count / 2) % count - count / 2).min(axis=1)
        right = (apart < 1) & (own[0, 6] == 0)
        others = others[np.argsort(right, kind="stable")]
        return np.array([*near, *others[: self.config.rotations_trained - 2]])

    def _steps(self, own: Array) -> NDArray[np.float64]:
        """Rotations of answers (k, 7) in steps, 0..config.rotations."""
        count = self.config.rotations
        return np.asarray((own[:, 5] - own[:, 2]) / (2 * math.pi / count) % count, np.float64)

    def _equals(
        self, own: Array, shift: Array, among: Array, rng: np.random.Generator
    ) -> NDArray[np.float64]:
        """The right places among the trained rotations (r,), (n, 3): index, x and y; or NaN.

        Args:
            own: (k, 7) the answers for one pick.
            shift: (2,) from that pick to where the item is held, metres.
            among: (r,) rotations in steps.
            rng: chooses where there are more.
        """
        rows = []
        if own[0, 6]:  # a round item: each rotation is right at each place
            angles = among * (2 * math.pi / self.config.rotations)
            carried = _rotated(np.tile(shift, (len(among), 1)), angles)
            for place in rng.permutation(np.unique(own[:, 3:5], axis=0)):
                rows += [(k, *(place + each)) for k, each in enumerate(carried)]
        else:
            steps, count = self._steps(own), self.config.rotations
            carried = _rotated(np.tile(shift, (len(own), 1)), own[:, 5] - own[:, 2])
            for step, answer, each in zip(steps, own, carried, strict=True):
                # Another answer up to half a step beyond the two rotations counts as the nearer.
                beyond = (step - among[0] + count / 2) % count - count / 2
                if -0.5 <= beyond <= 1.5:
                    rows.append((min(max(beyond, 0.0), 1.0), *(answer[3:5] + each)))
        return _padded(np.array(rows), max(_ANSWERS, len(among)))

    def _fine(self, own: Array, shift: Array, near: Array, frames: Array) -> NDArray[np.float64]:
        """The right places in what refining is shown, (n, 3): index, row and column; or NaN.

        Args:
            own: (k, 7) the answers for one pick.
            shift: (2,) from that pick to where the item is held, metres.
            near: (2,) the coarse place, metres.
            frames: (f,) rotations of the crops, radians.
        """
        middle = FINE_ROTATIONS // 2
        starts = np.arange(len(frames)) * FINE_ROTATIONS
        if own[0, 6]:  # a round item: each rotation is right
            steps = np.arange(FINE_ROTATIONS) - middle
            turns = np.tile(steps, len(frames))
            index = np.arange(len(turns), dtype=np.float64)
            angles = np.repeat(frames, FINE_ROTATIONS) + turns * FINE_ROTATION
            ends = np.tile(own[0, 3:5], (len(turns), 1))
        else:
            angles = np.repeat(own[:, 5] - own[:, 2], len(frames))
            turns = wrap(angles - np.tile(frames, len(own))) / FINE_ROTATION
            index = np.tile(starts, len(own)) + middle + turns
            ends = np.repeat(own[:, 3:5], len(frames), axis=0)
        tiled = np.tile(shift, (len(angles), 1))
        cells = (ends + _rotated(tiled, angles) - near) / self._half + REACH
        shown = (np.abs(turns) <= middle) & ((cells >= 0) & (cells <= 2 * REACH)).all(axis=1)
        rows = np.concatenate([index[:, None], cells], axis=1)[shown]
        return _padded(rows, _ANSWERS)

    def forward(self, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Cross-entropies of picks, coarse places and refined places, in nats."""
        features = self._features(batch)
        picks = F.pad(self.table.cells(batch["picks"], self._half), (1, 0))
        parts = {"pick": grids.cross_entropy(self._picks(features)[:, None], picks)}
        alike = self._alike(batch["image"], batch["item"])
        scores = self._places(features, alike, batch["grasp"], batch["rotations"])
        step, places = torch.split(batch["places"], [1, 2], -1)
        target = torch.cat([step, self.table.cells(places, self._coarse)], -1)
        parts["place"] = grids.cross_entropy(scores, target)
        if self.config.refine:
            seen = self._plain(batch["image"], batch["mixture"], alike)
            scores = self._refined(seen, *(batch[n] for n in ("grasp", "near", "frames")))
            parts["refine"] = grids.cross_entropy(scores.flatten(1, 2), batch["fine"])
        return torch.stack(list(parts.values())).sum(), parts

    # --------------------------------------------------------------------------------- acting

    @torch.no_grad()
    def select_action(
        self, observation: Mapping[str, Array], tokens: Array, instruction: str
    ) -> NDArray[np.float32]:
        """The most likely action, (6,); the yaw of the pick is 0.

        If the image and the instruction have occurred before in this episode, the pick and the
        place are drawn by their probabilities, since the most likely ones led back there.
        """
        scene, table = pictures([observation["color"]], [observation["height"]])
        image = scene.to(self.device).contiguous(memory_format=torch.channels_last)
        colors = torch.from_numpy(colors_in(instruction, WORDS))[None]
        mixture = torch.tensor([_MIXTURE])
        batch = self.on_device(
            {"table": table, "colors": colors, "mixture": mixture, **pad_tokens([tokens])}
        )
        features = self._features({"image": image, **batch})
        picks = self._picks(features)
        rng = self._rng if self._has_been_here(image, instruction) else None
        pick = self._point(grids.peak(picks, rng=rng)[1:], self._half)
        everything = torch.arange(self.config.rotations, device=self.device)[None]
        alike = self._alike(image, pick)
        places = self._places(features, alike, pick, everything)[0]
        step, *cell = grids.peak(places, rng=rng)
        place = self._point(cell, self._coarse)
        rotation = step * 2 * math.pi / self.config.rotations
        if self.config.refine:
            # Without the last rotation of each crop, which is in the next one, too.
            steps = torch.arange(FRAMES * (FINE_ROTATIONS - 1), device=self.device)
            rotations = (steps - FINE_ROTATIONS // 2) * FINE_ROTATION
            frames = torch.arange(FRAMES, device=self.device)[None] * (2 * math.pi / FRAMES)
            seen = self._plain(image, batch["mixture"], alike)
            scores = self._refined(seen, pick, place, frames)[0, :, :-1].flatten(0, 1)
            # Where the refining networks see nothing, the coarse answer stands.
            scores = scores + self._coarsely(places, place, rotations)
            step, *cell = grids.peak(scores, rng=rng)
            moved = (torch.tensor(cell, device=self.device) - REACH) * self._half
            place = place + moved
            rotation = (step - FINE_ROTATIONS // 2) * FINE_ROTATION
        self._last = picks[0], places
        yaw = wrap(rotation)
        return self.clip(np.array([*pick[0].tolist(), 0.0, *place[0].tolist(), yaw]))

    def reset(self, env: gym.Env[Any, Any], rng: np.random.Generator) -> None:
        """See `LearnedPolicy`."""
        super().reset(env, rng)
        self._rng, self._visited = rng, []

    def _has_been_here(self, image: Tensor, instruction: str) -> bool:
        """Whether an image (1, 4, h, w) was seen before with an instruction in this episode."""
        small = F.avg_pool2d(image, _SMALL)
        found = any(
            instruction == other and float((small - seen).abs().max()) < _SAME
            for other, seen in self._visited
        )
        self._visited.append((instruction, small))
        return found

    def heatmaps(self) -> dict[str, NDArray[np.float32]] | None:
        """See `Policy`; relative to the maximum, and summed over rotations."""
        if self._last is None:
            return None
        picks, places = self._last
        maps = {"pick": picks, "place": places.logsumexp(0)}
        return {name: self._heat(scores).cpu().numpy() for name, scores in maps.items()}

    def _heat(self, scores: Tensor) -> Tensor:
        heat = (scores - scores.max()).exp()[None, None]
        return F.interpolate(heat, self.table.shape, mode="bilinear")[0, 0]

    def _point(self, cell: list[float], side: float) -> Tensor:
        """The point (1, 2) at a row and column of cells, metres."""
        return torch.tensor([self.table.point(cell, side)], device=self.device)

    # ---------------------------------------------------------------------------------- parts

    def _features(self, batch: Mapping[str, Tensor]) -> Tensor:
        """The features (b, width, 40, 80) of a batch with `image`, `table`, `tokens`, `mask`,
        `colors` and `mixture`, see `prepare`.
        """
        encoder, decoder = list[Any](self.semantic)
        image, table, colors = batch["image"], batch["table"], batch["colors"]
        instruction = self.instruction(batch["tokens"], batch["mask"])
        seen, shape = image[:, :3], image
        if self._color_words:
            contrasts = _contrasts(image, batch["mixture"])
            seen = torch.cat([self.color_maps(image, table, colors).to(contrasts), contrasts], 1)
            shape = torch.cat([contrasts, image[:, 3:]], 1)
        if self._clip is None:
            scales = encoder(seen, instruction)
        else:
            self._clip[0].to(image.device)
            maps = self._clip[0](colors_of(image, table))
            scales = [narrow(each) for narrow, each in zip(encoder, maps, strict=False)]
        lateral = decoder(scales, instruction)
        encoder, decoder = list[Any](self.spatial)
        finest: Tensor = decoder(encoder(shape), lateral=lateral)[-1]
        return finest

    def color_maps(self, image: Tensor, table: Tensor, colors: Tensor) -> Tensor:
        """Likeness maps of the colour words of an instruction, (b, WORDS, 160, 320), 0..1.

        No word means the table, which is a little like white and like orange. Some colours are less
        like their names than others, and less so in the shade. So what is most like a word is
        scaled to 1, and roots are taken.

        Args:
            image: (b, 4, 160, 320).
            table: (b, 3) its colour.
            colors: (b, WORDS, 4) of `agents.data.colors.colors_in`.
        """
        maps = likeness_maps(colors_of(image, table), colors) * _unlike_table(image)
        most = F.avg_pool2d(maps, COARSE).amax((2, 3), keepdim=True)
        return (maps / most.clamp(min=_LIKE)).clamp(max=1).sqrt()

    def _picks(self, features: Tensor) -> Tensor:
        """(b, 80, 160) logits."""
        return F.pixel_shuffle(self.pick(features), COARSE // HALF)[:, 0].float()

    def _places(self, features: Tensor, alike: Tensor, grasp: Tensor, rotations: Tensor) -> Tensor:
        """Logits of places.

        Args:
            features: (b, width, 40, 80).
            alike: (b, 1, 160, 320) of `_alike`.
            grasp: (b, 2) of the pick, metres.
            rotations: (b, r) of the item, in steps of 2 pi / config.rotations.

        Returns:
            (b, r, 40, 80).
        """
        keys, around = self.key(features).float(), features
        if self.picked is not None:
            own = self._at(grasp, features)[..., 0, 0]
            own = F.layer_norm(own, own.shape[-1:])
            around = torch.cat([self.picked(features, own), F.avg_pool2d(alike, COARSE)], 1)
        scene = self.query(around).float()
        angles = rotations * (2 * math.pi / self.config.rotations)
        # A point at grasp + u moves to place + rotation(u).
        points = grids.window(self.config.crop // COARSE, self._coarse, like=grasp)
        kernels = grids.crops(keys, self.table, grasp[:, None], points, -angles)
        return grids.correlate(scene, kernels) * self.sharpness

    def _at(self, grasp: Tensor, maps: Tensor) -> Tensor:
        """Maps (b, c, h, w) at points (b, 2) in metres: (b, c, 1, 1)."""
        at = self.table.sampling(grasp)[:, None, None]
        return F.grid_sample(maps.float(), at, align_corners=False)

    def _alike(self, image: Tensor, item: Tensor) -> Tensor:
        """How like that of the picked item the colours of pixels are, (b, 1, h, w), 0..1.

        Args:
            image: (b, 4, h, w).
            item: (b, 2) the pick, metres.
        """
        if self.picked is None:
            return torch.zeros_like(image[:, :1])
        # Half at a distance of 0.2 in sRGB; `image` has twice the differences to the table.
        difference = image[:, :3] - self._at(item, image)[:, :3]
        return torch.exp(-4 * difference.square().sum(1, keepdim=True))

    def _plain(self, image: Tensor, mixture: Tensor, alike: Tensor) -> Tensor:
        """What refining sees of images (b, 4, h, w), of the same shape.

        Contrasts instead of colours, of which training shows few; if the config has no
        `color_words`, the image.

        Args:
            image: (b, 4, h, w).
            mixture: (b, 3) of `_mixtures`.
            alike: (b, 1, h, w) of `_alike`.
        """
        if not self._color_words:
            return image
        return torch.cat([_contrasts(image, mixture), alike.to(image), image[:, 3:]], 1)

    def _refined(self, image: Tensor, grasp: Tensor, near: Tensor, frames: Tensor) -> Tensor:
        """Logits of places near a coarse one, and of rotations.

        Args:
            image: (b, 4, 160, 320) of `_plain`.
            grasp: (b, 2) of the pick, metres.
            near: (b, 2) of the coarse place, metres.
            frames: (b, f) rotations of the crops, radians. Features are rotated by at most 12
                degrees; for more, the networks would have to look alike in every direction.

        Returns:
            (b, f, FINE_ROTATIONS, 2 REACH + 1, 2 REACH + 1), steps of FINE_ROTATION and HALF
            pixels.
        """
        b, f = frames.shape
        still = torch.zeros_like(frames[:, :1])
        there = self._crop(image, near, _FINE_CROP + 2 * REACH * HALF, still)
        scene = self.fine_query(there)
        key = self.fine_key(self._crop(image, grasp, _FINE_CROP + _FINE_RIM, -frames))
        side = key.shape[-1]
        of_key = Table((-side / 2, -side / 2), (side, side), (side, side))
        steps = torch.arange(FINE_ROTATIONS, device=frames.device) - FINE_ROTATIONS // 2
        angles = (-FINE_ROTATION * steps).expand(b * f, -1)
        origin = grasp.new_zeros(b * f, 1, 2)
        points = grids.window(_FINE_CROP // HALF, 1.0, middle=True, like=grasp)
        kernels = grids.crops(key.float(), of_key, origin, points, angles)
        kernels = kernels.reshape(b, f * FINE_ROTATIONS, *kernels.shape[2:])
        scores: Tensor = grids.correlate(scene.float(), kernels, inside=True) * self.fine_sharpness
        return scores.reshape(b, f, FINE_ROTATIONS, *scores.shape[2:])

    def _coarsely(self, places: Tensor, near: Tensor, rotations: Tensor) -> Tensor:
        """The coarse scores at rotations and at places near a coarse one.

        Args:
            places: (k, 40, 80) logits.
            near: (1, 2) the coarse place, metres.
            rotations: (r,) radians.

        Returns:
            (r, 2 REACH + 1, 2 REACH + 1), places in steps of HALF pixels.
        """
        move = (torch.arange(2 * REACH + 1, device=near.device) - REACH) * self._half
        x, y = self.table.cells(near, self._coarse)[0]
        steps = rotations / (2 * math.pi / self.config.rotations)
        lines = steps, x + move / self._coarse, y + move / self._coarse
        scores = grids.interpolated(places[None], torch.cartesian_prod(*lines)[None])
        return scores.reshape(len(steps), len(move), len(move))

    def _crop(self, image: Tensor, centre: Tensor, side: int, angle: Tensor) -> Tensor:
        """Square crops (b * n, 4, side, side) of images around centres (b, 2), at angles (b, n)."""
        points = grids.window(side, self.table.pixel, middle=True, like=centre)
        return grids.crops(image, self.table, centre[:, None], points, angle).flatten(0, 1)


def _contrasts(image: Tensor, mixture: Tensor) -> Tensor:
    """Contrasts with the table (b, 2, h, w): minus that of lightness, and that of colour, 0..1.

    Neither says which colour something has: a thing lighter than the table looks like one that is
    darker by as much, and most colours have the same contrast of colour.

    Args:
        image: (b, 4, h, w).
        mixture: (b, 3) of `_mixtures`.
    """
    light = -(image[:, :3] * mixture[..., None, None]).sum(1, keepdim=True).abs()
    return torch.cat([light, _unlike_table(image)], 1)


def _unlike_table(image: Tensor) -> Tensor:
    """How unlike that of the table the colours of pixels (b, 4, h, w) are, (b, 1, h, w), 0..1."""
    # Half at a distance of 0.1 in sRGB, since `image` has twice the differences to the table.
    return 1 - torch.exp(-16 * image[:, :3].square().sum(1, keepdim=True))


def _mixtures(b: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Red, green and blue in what counts as lightness in training, (b, 3).

    In half of the samples they are a random mixture instead of their mean, so that lightness like
    that of the table occurs, which no colour has that is seen in training.
    """
    mean = np.tile(_MIXTURE, (b, 1))
    drawn = rng.normal(size=(b, 3))
    drawn *= np.linalg.norm(mean[0]) / np.linalg.norm(drawn, axis=1, keepdims=True)
    return np.where(rng.random((b, 1)) < 0.5, drawn, mean)


def _draw(answers: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """One answer (7,) of a random pick, and all for that pick (k, 7), that one first.

    A round item's is turned at random.
    """
    pick = answers[rng.integers(len(answers)), :2]
    own = answers[np.abs(answers[:, :2] - pick).max(axis=1) < 1e-3].copy()
    own = own[rng.permutation(len(own))]
    if own[0, 6]:
        own[:, 5] = wrap(own[0, 2] + rng.uniform(-math.pi, math.pi))
    return own[0], own


def _padded(rows: Array, length: int) -> NDArray[np.float64]:
    """The first rows of (k, n), filled up with NaN: (length, n)."""
    padded = np.full((length, rows.shape[1]), np.nan)
    padded[: len(rows)] = rows[:length]
    return padded


def _rotated(vectors: Array, angles: Array) -> NDArray[np.float64]:
    """Vectors (n, 2) rotated by angles (n,) from x towards y."""
    cos, sin, (x, y) = np.cos(angles), np.sin(angles), vectors.T
    return np.stack([cos * x - sin * y, sin * x + cos * y], 1)
