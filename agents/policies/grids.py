"""Scores of the cells of a grid: rotated crops, cross-correlation, targets between cells, peaks."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from agents.data.table import Table


def window(count: int, step: float, *, like: Tensor, middle: bool = False) -> Tensor:
    """Points of a square grid about the origin, (count, count, 2), `step` apart.

    Args:
        count: of points along a side.
        step: between them.
        like: a tensor of the type and on the device wanted.
        middle: whether the origin is the middle of the grid, or point (count // 2, count // 2).
    """
    origin = (count - 1) / 2 if middle else count // 2
    line = (torch.arange(count, dtype=like.dtype, device=like.device) - origin) * step
    return torch.stack(torch.meshgrid(line, line, indexing="ij"), -1)


def crops(maps: Tensor, table: Table, centres: Tensor, points: Tensor, angles: Tensor) -> Tensor:
    """Rotated crops of feature maps; bilinear, and 0 beyond the edge.

    Args:
        maps: (b, c, h, w) features of the whole table.
        table: in metres.
        centres: (b, k or 1, 2) metres.
        points: (n, n, 2) metres about the centre, of an unrotated crop.
        angles: (b, k) radians by which the points are rotated about their centre.

    Returns:
        (b, k, c, n, n).
    """
    (b, k), n = angles.shape, len(points)
    turned = rotated(points, angles[..., None, None])  # (b, k, n, n, 2)
    places = table.sampling(turned + centres[:, :, None, None])
    flat = F.grid_sample(maps, places.reshape(b, k * n, n, 2), align_corners=False)
    return flat.reshape(b, -1, k, n, n).transpose(1, 2)


def rotated(vectors: Tensor, angles: Tensor) -> Tensor:
    """Vectors (..., 2) rotated by angles (...), radians, from x towards y."""
    cos, sin = torch.cos(angles), torch.sin(angles)
    x, y = vectors.unbind(-1)
    # Written out, since autocast would run a matrix product in bfloat16.
    return torch.stack([cos * x - sin * y, sin * x + cos * y], -1)


def correlate(scene: Tensor, kernels: Tensor, *, inside: bool = False) -> Tensor:
    """The cross-correlation of each kernel with the scene, exact up to rounding.

    score[b, k, i, j] is the sum over c, u, v of kernels[b, k, c, u, v] times
    scene[b, c, i + u - n // 2, j + v - n // 2], where the scene is 0 beyond its edge, or with
    `inside` times scene[b, c, i + u, j + v]. It equals `conv2d`, and is several times as fast for
    kernels of this size on a CPU.

    Args:
        scene: (b, c, h, w) float32.
        kernels: (b, k, c, n, n) float32.
        inside: whether to return only positions where the whole kernel is inside the scene.

    Returns:
        (b, k, h, w) float32, or (b, k, h - n + 1, w - n + 1).
    """
    result: Tensor = _Correlation.apply(scene, kernels, inside)  # type: ignore[no-untyped-call]
    return result


class _Correlation(torch.autograd.Function):
    """Uses real transforms in both passes; the gradient of torch uses complex ones."""

    @staticmethod
    def forward(ctx: Any, scene: Tensor, kernels: Tensor, inside: bool) -> Tensor:
        (h, w), n = scene.shape[-2:], kernels.shape[-1]
        rim, shift = (0, 0) if inside else (n - 1, n // 2)
        size = (_fast(h + rim), _fast(w + rim))
        transformed = torch.fft.rfft2(scene, s=size)
        conjugate = torch.fft.rfft2(kernels, s=size).conj()
        scores = torch.fft.irfft2((transformed[:, None] * conjugate).sum(2), s=size)
        ctx.save_for_backward(transformed, conjugate)
        ctx.sizes = (h, w, n, shift, size)
        rows, columns = (h - n + 1, w - n + 1) if inside else (h, w)
        return torch.roll(scores, (shift, shift), (-2, -1))[..., :rows, :columns].contiguous()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        transformed, conjugate = ctx.saved_tensors
        h, w, n, shift, size = ctx.sizes
        (gradient,) = gradients
        placed = gradient.new_zeros(*gradient.shape[:2], *size)
        placed[..., : gradient.shape[2], : gradient.shape[3]] = gradient
        back = torch.fft.rfft2(torch.roll(placed, (-shift, -shift), (-2, -1)))
        scene = torch.fft.irfft2((back[:, :, None] * conjugate.conj()).sum(1), s=size)
        kernels = torch.fft.irfft2(back.conj()[:, :, None] * transformed[:, None], s=size)
        return scene[..., :h, :w], kernels[..., :n, :n], None


def _fast(length: int) -> int:
    """The next length without a prime factor over 7, for which Fourier transforms are fast."""
    rest = length
    for prime in (2, 3, 5, 7):
        while rest % prime == 0:
            rest //= prime
    return length if rest == 1 else _fast(length + 1)


def cross_entropy(scores: Tensor, cells: Tensor) -> Tensor:
    """The mean negative log-likelihood of sets of targets between the cells of a grid, in nats.

    The log-probability of a target is interpolated between its eight neighbours. Which target of a
    set gets the probability does not matter.

    Args:
        scores: (b, k, h, w) logits.
        cells: (b, t, 3) targets in k, h and w; integers are cell centres. Those that are not needed
            are NaN.
    """
    log_probs = scores.flatten(1).log_softmax(1).reshape(scores.shape)
    unknown = cells.isnan().any(-1)
    likely = interpolated(log_probs, cells.nan_to_num())
    return -likely.masked_fill(unknown, -1e4).logsumexp(1).mean()


def interpolated(scores: Tensor, cells: Tensor) -> Tensor:
    """Scores between the cells of grids, by trilinear interpolation.

    Args:
        scores: (b, k, h, w); k is circular.
        cells: (b, t, 3) in k, h and w; integers are cell centres. Beyond the edge of h and w the
            nearest cell counts.

    Returns:
        (b, t).
    """
    b, depth, height, width = scores.shape
    batch = torch.arange(b, device=cells.device)[:, None]
    lower = cells.floor()
    part, total = cells - lower, scores.new_zeros(cells.shape[:2])
    for corner in itertools.product((0, 1), repeat=3):
        share = torch.stack([part[..., d] if c else 1 - part[..., d] for d, c in enumerate(corner)])
        k, h, w = (lower[..., d].long() + c for d, c in enumerate(corner))
        value = scores[batch, k % depth, h.clamp(0, height - 1), w.clamp(0, width - 1)]
        total = total + share.prod(0) * value
    return total


def sample(logits: Tensor, rng: np.random.Generator) -> int:
    """An index of logits (n,), drawn by its probability."""
    likely = logits.double().softmax(0).cpu().numpy()
    return int(rng.choice(len(likely), p=likely / likely.sum()))


def peak(scores: Tensor, rng: np.random.Generator | None = None) -> list[float]:
    """The mean position in the neighbourhood of the most likely cell.

    Args:
        scores: (k, h, w) logits; k is circular if it has more than two cells.
        rng: if given, draws the cell by its probability instead.

    Returns:
        [k, h, w], with fractions of a cell.
    """
    k = scores.shape[0]
    chosen = int(scores.argmax()) if rng is None else sample(scores.flatten(), rng)
    best = [int(i) for i in np.unravel_index(chosen, scores.shape)]
    ranges = [range(max(i - 1, 0), min(i + 2, n)) for i, n in zip(best, scores.shape, strict=True)]
    if k > 2:
        ranges[0] = range(best[0] - 1, best[0] + 2)
    grid = scores[[i % k for i in ranges[0]]][:, list(ranges[1])][:, :, list(ranges[2])]
    probs = grid.flatten().softmax(0).reshape(grid.shape)
    return [
        float((probs.sum([d for d in range(3) if d != axis]).cpu() * torch.tensor(span)).sum())
        for axis, span in enumerate(ranges)
    ]
