"""Building blocks of the image policies: convolutions, FiLM, crops and cross-correlation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from agents.data.augment import Table


class Residual(nn.Module):
    """Two 3 x 3 convolutions with a skip connection (He et al., 2015, arXiv 1512.03385)."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norms = nn.ModuleList([nn.BatchNorm2d(outputs), nn.BatchNorm2d(outputs)])
        same = inputs == outputs and stride == 1
        # Pool first: PyTorch 2.13 corrupts memory in the gradient of strided 1 x 1 convolutions in
        # the channels-last layout.
        pool = nn.AvgPool2d(stride) if stride > 1 else nn.Identity()
        self.skip = nn.Identity() if same else nn.Sequential(pool, nn.Conv2d(inputs, outputs, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(b, inputs, h, w) -> (b, outputs, h / stride, w / stride)."""
        y = self.second(F.relu(self.norms[0](self.first(x))))
        return F.relu(self.skip(x) + self.norms[1](y))


_QUERIES = 4  # a divisor of `InstructionPooling.outputs`
_TOKEN_DROPOUT = 0.2  # share of the tokens that are dropped in training


class InstructionPooling(nn.Module):
    """Pools the tokens of an instruction into one vector, by attention with learned queries.

    Attention is that of Vaswani et al., 2017, arXiv 1706.03762: one query may attend to the colour
    of the picked item and another to that of the place. Their results are concatenated and not
    mixed, so that a network that sees few pairs of colours is less likely to memorise the pairs.

    Args:
        width: of a token, or the size of the vocabulary if tokens are word ids.
        words: whether tokens are word ids.

    Attributes:
        outputs: width of the vector.
    """

    outputs = 64

    def __init__(self, width: int, words: bool) -> None:
        super().__init__()
        outputs = self.outputs
        self.embed: nn.Module = nn.Embedding(width, outputs) if words else nn.LayerNorm(width)
        inputs = outputs if words else width
        self.queries = nn.Parameter(torch.randn(_QUERIES, outputs) * outputs**-0.5)
        self.key = nn.Linear(inputs, outputs)
        self.value = nn.Linear(inputs, outputs // _QUERIES)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Tokens (b, l, width) or ids (b, l), and their mask (b, l) -> (b, outputs)."""
        if self.training:
            kept = mask & (torch.rand(mask.shape, device=mask.device) >= _TOKEN_DROPOUT)
            mask = torch.where(kept.any(1, keepdim=True), kept, mask)
        tokens = self.embed(tokens)
        scores = torch.einsum("qd,bld->bql", self.queries, self.key(tokens))
        weights = scores.masked_fill(~mask[:, None], -1e4).softmax(-1)
        pooled: Tensor = weights @ self.value(tokens)
        return pooled.flatten(1)


class FiLM(nn.Module):
    """Scales and shifts channels, given a vector (Perez et al., 2018, arXiv 1709.07871)."""

    def __init__(self, channels: int, vector: int) -> None:
        super().__init__()
        self.affine = nn.Linear(vector, 2 * channels)

    def forward(self, x: Tensor, vector: Tensor) -> Tensor:
        """(b, channels, h, w) and (b, vector) -> (b, channels, h, w)."""
        scale, shift = self.affine(vector)[..., None, None].chunk(2, 1)
        return torch.addcmul(x + shift, x, scale)


_COLOR_FEATURES = 24  # channels of a pixel-wise layer that separates colours


class Encoder(nn.Module):
    """Images -> features at 1/4, 1/8 and 1/16 of the resolution.

    The first layer reads patches of 4 x 4 pixels, so that no pixel is lost and the most expensive
    layers work at 1/4 of the resolution. Beside them it reads features of single pixels that the
    instruction modulates, a short path from a word to a colour.

    Args:
        channels: of the images.
        widths: of the features, from fine to coarse.
        vector: width of the pooled instruction; 0 for none.
    """

    def __init__(self, channels: int, widths: Sequence[int], vector: int = 0) -> None:
        super().__init__()
        fine, middle, coarse = widths
        self.color_film = FiLM(_COLOR_FEATURES, vector) if vector else None
        self.color = nn.Conv2d(channels, _COLOR_FEATURES, 1)
        self.stem = nn.Conv2d(channels * 16 + _COLOR_FEATURES, fine, 3, 1, 1)
        self.fine = Residual(fine, fine)
        self.middle = Residual(fine, middle, 2)
        self.coarse = nn.Sequential(Residual(middle, coarse, 2), Residual(coarse, coarse))

    def forward(self, x: Tensor, instruction: Tensor | None = None) -> list[Tensor]:
        """(b, channels, h, w), (b, vector) -> [(b, widths[i], h / 4 / 2^i, w / 4 / 2^i)]."""
        colors = F.avg_pool2d(F.relu(self.color(F.avg_pool2d(x, 2))), 2)
        if self.color_film is not None:
            colors = self.color_film(colors, instruction)
        fine = self.fine(F.relu(self.stem(torch.cat([F.pixel_unshuffle(x, 4), colors], 1))))
        middle = self.middle(fine)
        return [fine, middle, self.coarse(middle)]


class Decoder(nn.Module):
    """Merges features of three scales, as a U-Net (Ronneberger et al., arXiv 1505.04597).

    Args:
        widths: channels from the finest to the coarsest scale.
        vector: width of the pooled instruction that modulates every scale; 0 for none.
    """

    def __init__(self, widths: Sequence[int], vector: int = 0) -> None:
        super().__init__()
        fine, middle, coarse = widths
        self.up = nn.ModuleList([nn.Conv2d(coarse, middle, 1), nn.Conv2d(middle, fine, 1)])
        self.join = nn.ModuleList([Residual(middle, middle), Residual(fine, fine)])
        self.modulate = nn.ModuleList(
            [FiLM(width, vector) for width in (coarse, middle, fine)] if vector else []
        )

    def forward(
        self,
        features: Sequence[Tensor],
        instruction: Tensor | None = None,
        lateral: Sequence[Tensor] | None = None,
    ) -> list[Tensor]:
        """Features [fine, middle, coarse] -> decoded features [coarse, middle, fine].

        Args:
            features: of an `Encoder`.
            instruction: (b, vector), if it modulates the features.
            lateral: the result of another decoder, which is added.
        """
        x = self._modulate(0, features[2], instruction)
        outputs = [x if lateral is None else x + lateral[0]]
        for scale in (1, 2):
            x = F.interpolate(self.up[scale - 1](outputs[-1]), scale_factor=2) + features[2 - scale]
            x = self.join[scale - 1](self._modulate(scale, x, instruction))
            outputs.append(x if lateral is None else x + lateral[scale])
        return outputs

    def _modulate(self, scale: int, x: Tensor, instruction: Tensor | None) -> Tensor:
        return x if instruction is None else self.modulate[scale](x, instruction)


# --------------------------------------------------------------------------------- correlation


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
    # Written out, since autocast would run a matrix product in bfloat16.
    cos, sin = torch.cos(angles)[..., None, None], torch.sin(angles)[..., None, None]
    x, y = points.unbind(-1)
    rotated = torch.stack([cos * x - sin * y, sin * x + cos * y], -1)  # (b, k, n, n, 2)
    places = table.sampling(rotated + centres[:, :, None, None])
    flat = F.grid_sample(maps, places.reshape(b, k * n, n, 2), align_corners=False)
    return flat.reshape(b, -1, k, n, n).transpose(1, 2)


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
