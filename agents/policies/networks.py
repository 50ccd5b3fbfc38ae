"""Building blocks of the image policies: convolutions, FiLM, the pooling of instructions."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


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


def refiner(width: int, features: int) -> nn.Sequential:
    """Crops of an image (b, 4, n, n) -> (b, features, n / 2, n / 2)."""
    return nn.Sequential(
        nn.PixelUnshuffle(2), nn.Conv2d(16, width, 3, 1, 1), nn.ReLU(),
        Residual(width, width), Residual(width, width), nn.Conv2d(width, features, 1),
    )  # fmt: skip
