"""The transporter as it was published, plainly: what ours is measured against.

Written from the descriptions in Transporter Networks (Zeng et al., 2020, arXiv 2010.14406) and
CLIPort (Shridhar et al., 2021, arXiv 2109.12098). From them come the 43 layers with 12 residual
blocks, three strides of two and three bilinear enlargements, softmax over the whole image, 36
rotations of a 64 x 64 crop, each through the key network, and Adam with a rate of 1e-4 on one
sample at a time under random SE(2) transforms.

Estimates, where we know of no published number: widths of 64 to 512 that double with each stride,
features of three channels, and the spread of the transforms. In its favour, it pads no more than
it must and correlates by the fastest exact method that the machine has. It knows no language, so
it fits tasks whose instruction adds nothing to the picture, such as BlockInsertion.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from agents.policies.base import PolicySpec
from agents.policies.learned import LearnedPolicy

if TYPE_CHECKING:
    from agents.data.demonstrations import Sample

FEATURES = 3  # channels of query and key
# Of red, green, blue and height in metres, over 300 demonstrations.
MEAN = np.array([0.77, 0.74, 0.66, 0.001], np.float32)
STD = np.array([0.10, 0.10, 0.10, 0.005], np.float32)
SPREAD = math.radians(60)  # standard deviation of a random turn of the scene


@dataclass(frozen=True)
class PlainConfig:
    """What the published network fixed."""

    rotations: int = 36
    """Turns of the crop that are told apart, over the whole circle."""
    crop: int = 64
    """Pixels along a side of the crop, a multiple of 8."""
    width: int = 64
    """Channels of the first layer."""
    learning_rate: float = 1e-4
    """Of Adam."""
    augment: bool = True
    """Rotate and shift scenes in training."""
    correlation: str = "fft"
    """"direct", "columns" or "fft": equal up to rounding; `time_correlations` measures them."""


# --- Correlation: three ways to the same numbers ---------------------------------------------


def direct(query: Tensor, kernels: Tensor) -> Tensor:
    """Cross-correlation as a convolution; its backward is slow on CPUs.

    Args:
        query: (1, d, h, w).
        kernels: (k, d, c, c).

    Returns:
        (1, k, h - c + 1, w - c + 1).
    """
    return F.conv2d(query, kernels)


def columns(query: Tensor, kernels: Tensor) -> Tensor:
    """The same, unfolded along the rows only: many channels and a kernel one pixel wide.

    Unfolding both axes for a single matrix product takes 2.5 GB and is slower than all others.
    """
    count, _, height, width = kernels.shape
    unfolded = query[0].unfold(2, width, 1).permute(0, 3, 1, 2).flatten(0, 1)
    return F.conv2d(unfolded[None], kernels.transpose(2, 3).reshape(count, -1, height, 1))


def fft(query: Tensor, kernels: Tensor) -> Tensor:
    """The same, through the frequency domain, in single precision at least.

    Nothing wraps around where the kernel lies inside the picture, and nothing else is kept.
    """
    (h, w), (rows, cols) = query.shape[-2:], kernels.shape[-2:]
    query, kernels = (t if t.dtype == torch.float64 else t.float() for t in (query, kernels))
    # Along the rows first, while the kernels have few of them; backwards for the rows kept.
    scene = torch.fft.fft(torch.fft.rfft(query), dim=-2)
    moved = torch.fft.fft(torch.fft.rfft(kernels, n=w), n=h, dim=-2)
    product = (scene * moved.conj()).sum(1)
    kept = torch.fft.ifft(product, dim=-2)[:, : h - rows + 1]
    scores: Tensor = torch.fft.irfft(kept, n=w)[None, ..., : w - cols + 1]
    return scores


CORRELATIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "direct": direct,
    "columns": columns,
    "fft": fft,
}


def time_correlations(
    crop: int = 64, rotations: int = 36, repeats: int = 3, device: str = "cpu"
) -> Iterator[tuple[str, str, float]]:
    """Method, precision and median seconds forward and backward, at the published sizes.

    Those of bf16 read features as the networks make them under autocast.
    """
    for precision, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        shape = (1, FEATURES, 160 + crop, 320 + crop)
        query = torch.randn(shape, dtype=dtype, device=device, requires_grad=True)
        shape = (rotations, FEATURES, crop, crop)
        kernels = torch.randn(shape, dtype=dtype, device=device, requires_grad=True)
        for name, method in CORRELATIONS.items():
            once = partial(_forth_and_back, method, query, kernels)
            yield name, precision, median_seconds(once, repeats, device)


def _forth_and_back(
    method: Callable[[Tensor, Tensor], Tensor], query: Tensor, kernels: Tensor
) -> None:
    torch.autograd.backward(method(query, kernels).square().mean())


def median_seconds(work: Callable[[], object], repeats: int, device: str = "cpu") -> float:
    """Median over repeats, after one call that warms up."""
    took = []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        work()
        if device.startswith("cuda"):
            torch.cuda.synchronize()
        took.append(time.perf_counter() - began)
    return statistics.median(took[1:])


# --- The network ------------------------------------------------------------------------------


class Block(nn.Module):
    """A residual block of three layers; a projection where size or width changes."""

    def __init__(self, inner: int, outer: int, stride: int = 1) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(inner, outer, 1),
            nn.ReLU(),
            nn.Conv2d(outer, outer, 3, stride=stride, padding=1),
            nn.ReLU(),
            nn.Conv2d(outer, outer, 1),
        )
        self.stride = stride
        self.shortcut = nn.Identity() if inner == outer else nn.Conv2d(inner, outer, 1)

    def forward(self, x: Tensor) -> Tensor:
        # The stride is not the projection's: torch 2.13 on a CPU overwrites foreign memory in the
        # backward of a strided 1 x 1 convolution from 8 to 16 channels in channels_last.
        return F.relu(self.layers(x) + self.shortcut(x[..., :: self.stride, :: self.stride]))


def hourglass(inputs: int, outputs: int, width: int) -> nn.Sequential:
    """43 layers: the first, 12 blocks of three, six projections; then a linear map to the outputs.

    Sides must be multiples of 8, and the outputs have the size of the inputs.
    """
    wide = [width * 2**k for k in range(4)]
    parts: list[nn.Module] = [nn.Conv2d(inputs, width, 3, padding=1), nn.ReLU()]
    for inner, outer in pairwise(wide):
        parts += [Block(inner, outer, stride=2), Block(outer, outer)]
    for inner, outer in pairwise(wide[::-1]):
        parts += [Block(inner, outer), Block(outer, outer)]
        parts += [nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)]
    return nn.Sequential(*parts, nn.Conv2d(width, outputs, 1))


class PlainTransporter(LearnedPolicy):
    """Picks by attention; places where the rotated crop around the pick correlates best."""

    obs_mode: ClassVar[str] = "rgbd"
    reads_instructions: ClassVar[bool] = False
    config_class: ClassVar[type] = PlainConfig

    def __init__(self, config: PlainConfig, spec: PolicySpec) -> None:
        super().__init__(config, spec)
        self.attention = hourglass(4, 1, config.width)
        self.query = hourglass(4, FEATURES, config.width)
        self.key = hourglass(4, FEATURES, config.width)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # a quarter faster on CPUs than planes
        self._maps: dict[str, NDArray[np.float32]] | None = None

    # --- what goes in

    def prepare(
        self, samples: list[Sample], tokens: list[NDArray[Any]], rng: np.random.Generator
    ) -> dict[str, Tensor]:
        """One sample, under a random SE(2) transform of its scene.

        Returns:
            "image" (1, 4, h, w) normalised, "pick" and "place" (2,) pixels as row and column, and
            "turn" () the number of the rotation.
        """
        (sample,) = samples
        assert sample.color is not None and sample.height is not None  # in obs_mode "rgbd"
        image = self._image(sample.color, sample.height)
        pick, place = self._pixel(sample.action[:2]), self._pixel(sample.action[3:5])
        if self.config.augment:
            image, (pick, place) = jitter(image, (pick, place), rng)
        step = 2 * math.pi / self.config.rotations
        turn = round(float(sample.action[5] - sample.action[2]) / step) % self.config.rotations
        return {
            "image": image,
            "pick": torch.tensor(np.floor(pick), dtype=torch.long),
            "place": torch.tensor(np.floor(place), dtype=torch.long),
            "turn": torch.tensor(turn),
        }

    def _image(self, color: NDArray[np.uint8], height: NDArray[np.float32]) -> Tensor:
        planes = np.concatenate([color / np.float32(255), height[..., None]], axis=-1)
        return torch.from_numpy((planes - MEAN) / STD).permute(2, 0, 1)[None]

    def _pixel(self, xy: NDArray[np.float32]) -> NDArray[np.float64]:
        """(x, y) in metres -> row and column, with the middle of the first pixel at 0.5."""
        low, high, shape = self._frame()
        return np.clip((np.asarray(xy, np.float64) - low) / (high - low) * shape, 0, shape - 1e-6)

    def _frame(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
        """Lowest and highest (x, y), metres, and the image's rows and columns."""
        low, high = self.spec.action_low[:2], self.spec.action_high[:2]
        return np.array(low), np.array(high), np.array(self.spec.observation["height"])

    # --- what comes out

    def forward(self, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Cross-entropy of the pick's pixel and of the place's pixel and rotation."""
        width = batch["image"].shape[-1]
        pick, place = batch["pick"], batch["place"]
        picks = self.pick_logits(batch["image"]).flatten()
        places = self.place_logits(batch["image"], pick)
        at = (batch["turn"] * places.shape[1] + place[0]) * width + place[1]
        parts = {
            "pick": F.cross_entropy(picks[None], (pick[0] * width + pick[1])[None]),
            "place": F.cross_entropy(places.flatten()[None], at[None]),
        }
        return parts["pick"] + parts["place"], parts

    def pick_logits(self, image: Tensor) -> Tensor:
        """(1, 4, h, w) -> (h, w)."""
        return self._run(self.attention, image)[0, 0].float()

    def place_logits(self, image: Tensor, pick: Tensor) -> Tensor:
        """Scores (rotations, h, w) of places for the item at the pixel `pick`."""
        half = self.config.crop // 2
        crops = turned_crops(image, pick, self.config.crop, self.config.rotations)
        query = self._run(self.query, F.pad(image, (half,) * 4))
        key = self._run(self.key, crops)
        scores = CORRELATIONS[self.config.correlation](query, key)
        # The mean over the crop instead of the sum: scores that start near zero.
        placed: Tensor = scores[0, :, :-1, :-1].float() / self.config.crop**2
        return placed

    def _run(self, net: nn.Module, x: Tensor) -> Tensor:
        features: Tensor = net(x.contiguous(memory_format=torch.channels_last))
        return features

    @torch.no_grad()
    def select_action(
        self, observation: Mapping[str, NDArray[Any]], tokens: NDArray[Any], instruction: str
    ) -> NDArray[np.float32]:
        """See `LearnedPolicy`: the best pick, then the best place for it."""
        image = self._image(observation["color"], observation["height"]).to(self.device)
        picks = self.pick_logits(image)
        pick = torch.stack(torch.unravel_index(picks.argmax(), picks.shape))
        places = self.place_logits(image, pick)
        turn, row, column = (int(i) for i in torch.unravel_index(places.argmax(), places.shape))
        self._maps = {
            "pick": picks.flatten().softmax(0).view_as(picks).cpu().numpy(),
            "place": places.flatten().softmax(0).view_as(places).sum(0).cpu().numpy(),
        }
        yaw = math.remainder(turn * 2 * math.pi / self.config.rotations, 2 * math.pi)
        low, high, shape = self._frame()
        points = (np.array([pick.cpu().numpy(), (row, column)]) + 0.5) / shape * (high - low) + low
        return self.clip(np.array([*points[0], 0.0, *points[1], yaw]))

    def heatmaps(self) -> dict[str, NDArray[np.float32]] | None:
        """See `Policy`; probabilities, those of places summed over rotations."""
        return self._maps


# --- Geometry ---------------------------------------------------------------------------------
# Rows run along x and columns along y, so that a turn by yaw takes an offset (row, column) to
# (row cos - column sin, row sin + column cos), as it does with x and y.


def turned_crops(image: Tensor, center: Tensor, crop: int, rotations: int) -> Tensor:
    """Crops (rotations, 4, crop, crop) around a pixel; crop k shows it turned by k / rotations.

    The pixel is at index (crop / 2, crop / 2) of each. Beyond the image they hold the mean, 0.
    """
    angle = torch.arange(rotations, device=image.device) * (2 * math.pi / rotations)
    cos, sin = (t[:, None, None] for t in (angle.cos(), angle.sin()))
    offset = torch.arange(crop, device=image.device) - crop // 2
    down, across = offset[:, None], offset[None, :]
    # What is seen at an offset lay, before the turn, at the offset turned back.
    rows = center[0] + down * cos + across * sin
    cols = center[1] - down * sin + across * cos
    return look_up(image.expand(rotations, -1, -1, -1), rows, cols)


def look_up(image: Tensor, rows: Tensor, cols: Tensor) -> Tensor:
    """(n, d, h, w) read at pixel indices (n, r, c), bilinearly; 0 beyond it."""
    h, w = image.shape[-2:]
    grid = torch.stack([(2 * cols + 1) / w - 1, (2 * rows + 1) / h - 1], dim=-1)
    return F.grid_sample(image, grid.to(image.dtype), align_corners=False)


def jitter(
    image: Tensor, points: Sequence[NDArray[np.float64]], rng: np.random.Generator
) -> tuple[Tensor, list[NDArray[np.float64]]]:
    """Turn and shift the scene, such that the points (row, column), which move along, stay in it.

    The turn from pick to place is the same in the scene as it was.
    """
    shape = np.array(image.shape[-2:])
    middle = shape / 2
    while True:
        angle, shift = rng.normal(0, SPREAD), rng.uniform(-0.5, 0.5, 2) * shape
        cos, sin = math.cos(angle), math.sin(angle)
        turn = np.array([[cos, -sin], [sin, cos]])
        moved = [turn @ (point - middle) + middle + shift for point in points]
        if all((point >= 0).all() and (point < shape).all() for point in moved):
            break
    down = torch.arange(shape[0])[:, None] + 0.5 - middle[0] - shift[0]
    across = torch.arange(shape[1])[None, :] + 0.5 - middle[1] - shift[1]
    rows = down * cos + across * sin + middle[0] - 0.5
    cols = -down * sin + across * cos + middle[1] - 0.5
    return look_up(image, rows[None], cols[None]), moved
