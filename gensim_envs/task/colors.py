"""Differences between colours, as the view from above shows them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gensim_envs.task.assets.base import COLORS

LEAST_DIFFERENCE = 20.0
"""CIE76 difference from which two colours can be told apart."""

_XYZ_FROM_RGB = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)  # IEC 61966-2-1, sRGB
_WHITE = np.array([0.95047, 1.0, 1.08883])  # D65
_SHADING = 0.975
"""Brightness of a level surface in the view from above, as a factor."""


def lab(color: ArrayLike) -> NDArray[np.float64]:
    """CIELAB coordinates (..., 3) of sRGB bytes (..., 3), by CIE 15:2004."""
    rgb = np.asarray(color, np.float64) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = linear @ _XYZ_FROM_RGB.T / _WHITE
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def difference(a: Sequence[int], b: Sequence[int]) -> float:
    """The CIE76 difference of two sRGB colours (3,)."""
    return math.dist(lab(a), lab(b))


@cache
def seen_difference(a: str, b: str) -> float:
    """The CIE76 difference of two named colours, as the view from above shows them."""
    return difference(*([round(_SHADING * level) for level in COLORS[name]] for name in (a, b)))


def distinguishable(a: str, b: str) -> bool:
    """Whether things of two named colours can be told apart in the view from above."""
    return seen_difference(a, b) >= LEAST_DIFFERENCE
