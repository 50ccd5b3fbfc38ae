"""Parts that the image policies are built of."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Residual(nn.Module):
    """Two 3 x 3 convolutions around which the input passes (He et al., 2015, arXiv 1512.03385)."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norms = nn.ModuleList([nn.BatchNorm2d(outputs), nn.BatchNorm2d(outputs)])
        same = inputs == outputs and stride == 1
        # Pooled first: PyTorch 2.13 corrupts memory in the gradient of 1 x 1 convolutions with a
        # stride where channels come last.
        pool = nn.AvgPool2d(stride) if stride > 1 else nn.Identity()
        self.skip = nn.Identity() if same else nn.Sequential(pool, nn.Conv2d(inputs, outputs, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(b, inputs, h, w) -> (b, outputs, h / stride, w / stride)."""
        y = self.second(F.relu(self.norms[0](self.first(x))))
        return F.relu(self.skip(x) + self.norms[1](y))


class Sentence(nn.Module):
    """A sentence as one vector: several learned queries, each answered by some of its tokens.

    They are queries of dot-product attention (Vaswani et al., 2017, arXiv 1706.03762), so that one
    may ask for the colour of what is picked and another for that of the place. Answers stand
    side by side and are not mixed: a network that is shown few pairs of colours learns the pairs
    instead of the colours less readily so.

    Args:
        width: of a token; the size of the vocabulary where tokens are numbers of words.
        words: whether they are.
        outputs: width of the vector.
        queries: how many, a divisor of `outputs`.
        token_dropout: share of the tokens that are left out in training.
    """

    def __init__(
        self,
        width: int,
        words: bool,
        outputs: int = 64,
        queries: int = 4,
        token_dropout: float = 0.2,
    ) -> None:
        super().__init__()
        self.outputs, self.token_dropout = outputs, token_dropout
        self.embed: nn.Module = nn.Embedding(width, outputs) if words else nn.LayerNorm(width)
        inputs = outputs if words else width
        self.questions = nn.Parameter(torch.randn(queries, outputs) * outputs**-0.5)
        self.key = nn.Linear(inputs, outputs)
        self.value = nn.Linear(inputs, outputs // queries)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Tokens (b, l, width) or numbers (b, l), and where they are (b, l) -> (b, outputs)."""
        if self.training:
            kept = mask & (torch.rand(mask.shape, device=mask.device) >= self.token_dropout)
            mask = torch.where(kept.any(1, keepdim=True), kept, mask)
        tokens = self.embed(tokens)
        scores = torch.einsum("qd,bld->bql", self.questions, self.key(tokens))
        weights = scores.masked_fill(~mask[:, None], -1e4).softmax(-1)
        answers: Tensor = weights @ self.value(tokens)
        return answers.flatten(1)


class FiLM(nn.Module):
    """Scales and shifts channels as a vector says (Perez et al., 2018, arXiv 1709.07871)."""

    def __init__(self, channels: int, vector: int) -> None:
        super().__init__()
        self.affine = nn.Linear(vector, 2 * channels)

    def forward(self, x: Tensor, vector: Tensor) -> Tensor:
        """(b, channels, h, w) and (b, vector) -> (b, channels, h, w)."""
        scale, shift = self.affine(vector)[..., None, None].chunk(2, 1)
        return torch.addcmul(x + shift, x, scale)


_TINTS = 24  # channels that tell colours apart, pixel by pixel


class Encoder(nn.Module):
    """Pictures -> features at a quarter, an eighth and a sixteenth of their size.

    The first layer reads 4 x 4 pixels at once: nothing is lost, and the costliest layers work on a
    sixteenth of the pixels. Beside it goes what the colours of pixels say, scaled and shifted by
    the sentence: the short way from a word to a colour.

    Args:
        channels: of the pictures.
        widths: of the features, from fine to coarse.
        vector: width of the sentence; 0 for none.
    """

    def __init__(self, channels: int, widths: Sequence[int], vector: int = 0) -> None:
        super().__init__()
        fine, middle, coarse = widths
        self.choose = FiLM(_TINTS, vector) if vector else None
        self.tint = nn.Conv2d(channels, _TINTS, 1)
        self.stem = nn.Conv2d(channels * 16 + _TINTS, fine, 3, 1, 1)
        self.fine = Residual(fine, fine)
        self.middle = Residual(fine, middle, 2)
        self.coarse = nn.Sequential(Residual(middle, coarse, 2), Residual(coarse, coarse))

    def forward(self, x: Tensor, sentence: Tensor | None = None) -> list[Tensor]:
        """(b, channels, h, w), (b, vector) -> [(b, widths[i], h / 4 / 2^i, w / 4 / 2^i)]."""
        tints = F.avg_pool2d(F.relu(self.tint(F.avg_pool2d(x, 2))), 2)
        if self.choose is not None:
            tints = self.choose(tints, sentence)
        fine = self.fine(F.relu(self.stem(torch.cat([F.pixel_unshuffle(x, 4), tints], 1))))
        middle = self.middle(fine)
        return [fine, middle, self.coarse(middle)]


class Decoder(nn.Module):
    """Features at three scales -> at the finest, as in a U-Net (Ronneberger et al., 1505.04597).

    Args:
        widths: channels from the finest to the coarsest scale.
        vector: width of the sentence that modulates every scale; 0 for none.
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
        sentence: Tensor | None = None,
        lateral: Sequence[Tensor] | None = None,
    ) -> list[Tensor]:
        """Features [fine, middle, coarse] -> the decoded [coarse, middle, fine].

        Args:
            features: of an `Encoder`.
            sentence: (b, vector), where there is one.
            lateral: what another decoder returned, to add.
        """
        x = self._spoken(0, features[2], sentence)
        outputs = [x if lateral is None else x + lateral[0]]
        for scale in (1, 2):
            x = F.interpolate(self.up[scale - 1](outputs[-1]), scale_factor=2) + features[2 - scale]
            x = self.join[scale - 1](self._spoken(scale, x, sentence))
            outputs.append(x if lateral is None else x + lateral[scale])
        return outputs

    def _spoken(self, scale: int, x: Tensor, sentence: Tensor | None) -> Tensor:
        return x if sentence is None else self.modulate[scale](x, sentence)
