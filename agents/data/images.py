"""Images as networks see them: colours and heights about the table, and the noise of sensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

_COLOR_SCALE, _HEIGHT_SCALE = 2.0, 10.0  # bring both to about the same spread


def pictures(colors: Sequence[Any], heights: Sequence[Any]) -> tuple[Tensor, Tensor]:
    """Combine colours and heights into maps (b, 4, h, w) in which the bare table is about 0.

    Most pixels show the table, so subtracting the median colour removes differences of light, and
    the zeros that enter at the edges of a moved image look like table.

    Args:
        colors: b times (h, w, 3) uint8.
        heights: b times (h, w) metres.

    Returns:
        The maps, and the tables' colours (b, 3), 0..1, which `colors_of` needs to invert this.
    """
    color = np.stack(colors).astype(np.float32) / 255
    table = np.median(color.reshape(len(color), -1, 3)[:, ::37], 1)
    color = (color - table[:, None, None]) * _COLOR_SCALE
    both = np.concatenate([color, np.stack(heights)[..., None] * _HEIGHT_SCALE], -1)
    return torch.from_numpy(both.astype(np.float32)).permute(0, 3, 1, 2), torch.from_numpy(table)


def colors_of(scenes: Tensor, tables: Tensor) -> Tensor:
    """The inverse of `pictures` for colours: (b, 4, h, w) -> (b, 3, h, w), 0..1."""
    return scenes[:, :3] / _COLOR_SCALE + tables[..., None, None]


def noisy(scenes: Tensor, noise: float, rng: np.random.Generator) -> Tensor:
    """Add the noise of a sensor to scenes (b, 4, h, w) of `pictures`.

    Args:
        scenes: without noise.
        noise: standard deviation of heights, metres; that of colours, 0..1, is ten times as much.
        rng: the only randomness.
    """
    spread = np.array([10 * noise * _COLOR_SCALE] * 3 + [noise * _HEIGHT_SCALE], np.float32)
    drawn = rng.standard_normal(scenes.shape, np.float32) * spread[:, None, None]
    return scenes + torch.from_numpy(drawn)
