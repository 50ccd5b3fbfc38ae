"""The colours that the words of an instruction name, and how like them something looks.

The pointer asks how like a name the true colour of an item is (`likeness`), the transporter how
like it each pixel is, which is shaded, and mixed at edges (`likeness_maps`). The latter needs a
colour difference that depends little on shading; distances in CIELAB suffice for the former.

The meaning of the words is that of a survey, not of this suite's palette: the colours that 222,500
people gave the names in R. Munroe, "Color Survey Results", 2010, https://xkcd.com/color/rgb (CC0).
"""

from __future__ import annotations

import functools
import re

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

NAMES = {
    "red": "e50000", "orange": "f97306", "yellow": "ffff14", "green": "15b01a", "blue": "0343df",
    "purple": "7e1e9c", "pink": "ff81c0", "brown": "653700", "grey": "929591", "gray": "929591",
    "white": "ffffff", "black": "000000", "cyan": "00ffff", "teal": "029386", "lime": "aaff32",
    "gold": "dbb40c", "silver": "c5c9c7", "violet": "9a0eea", "turquoise": "06c2ac",
    "magenta": "c20078", "maroon": "650021", "navy": "01153e", "olive": "6e750e",
    "beige": "e6daa6", "tan": "d1b26f", "indigo": "380282", "lavender": "c79fef",
}  # fmt: skip
"""Colour words and their sRGB values."""

_TERMS = (
    "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "grey", "white", "black",
)  # fmt: skip
# The basic colour terms of English (Berlin and Kay, 1969), among which a name is chosen.
_BASIC = torch.tensor([list(bytes.fromhex(NAMES[term])) for term in _TERMS]) / 255
_SPREAD = 20.0  # of CIELAB: people give one name to colours that are about this far apart
_SPREAD_94 = 7.0  # the same of CIE94, chosen so that palette colours are told apart in any light
_LIGHTNESS = 0.6  # weight of a difference in lightness, which shading changes too
_UNNAMED = 1e-3  # how near a colour must be to some name for it to be called anything
_LEVELS = 64  # of red, green and blue for which likeness is tabulated
_XYZ_FROM_RGB = torch.tensor(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)  # IEC 61966-2-1
_WHITE = torch.tensor([0.95047, 1.0, 1.08883])  # D65


@functools.lru_cache(4096)
def colors_in(instruction: str, most: int) -> NDArray[np.float32]:
    """The colours (most, 4) that an instruction names: red, green and blue, 0..1, and a 1.

    Each is listed once, where it is first named; further ones are left out, and rows that are not
    needed are 0.
    """
    words = re.findall(r"[a-z]+", instruction.lower())
    found = list(dict.fromkeys(NAMES[word] for word in words if word in NAMES))[:most]
    colors = np.zeros((most, 4), np.float32)
    for row, hexadecimal in zip(colors, found, strict=False):
        row[:] = numbers(hexadecimal)
    return colors


def numbers(hexadecimal: str) -> NDArray[np.float32]:
    """The numbers (4,) of a value of `NAMES`: red, green and blue, 0..1, and a 1."""
    return np.array([*(each / 255 for each in bytes.fromhex(hexadecimal)), 1], np.float32)


def likeness(colors: Tensor, names: Tensor) -> Tensor:
    """How probable it is that something of a colour is called by a name, 0..1.

    It is that name or one of the basic terms, each as probable as the colour is near to it.

    Args:
        colors: (b, ..., 3) sRGB, 0..1.
        names: (b, n, 4) of `colors_in`.

    Returns:
        (b, ..., n); 0 for names that are not given.
    """
    with torch.autocast(colors.device.type, enabled=False):  # bfloat16 is too coarse for it
        return _likeness(colors.float(), names.float())


def likeness_maps(colors: Tensor, names: Tensor) -> Tensor:
    """How probable it is that something of a pixel's colour is called by a name, 0..1.

    As `likeness`, but by the colour difference CIE94 (McDonald and Smith, "CIE94 - a new
    colour-difference formula", Journal of the Society of Dyers and Colourists 111, 1995), which
    counts hue more than saturation: shaded and mixed pixels keep their hue. Looked up in tables of
    64 levels of red, green and blue.

    Args:
        colors: (b, 3, h, w) sRGB, 0..1.
        names: (b, n, 4) of `colors_in`.

    Returns:
        (b, n, h, w); 0 for names that are not given.
    """
    red, green, blue = (colors.float() * (_LEVELS - 1) + 0.5).long().clamp(0, _LEVELS - 1).unbind(1)
    index = (red * _LEVELS + green) * _LEVELS + blue
    maps = torch.zeros(*names.shape[:2], *colors.shape[2:], device=colors.device)
    for i, k in names[..., 3].nonzero().tolist():
        table = _tabulated(tuple((names[i, k, :3] * 255).round().int().tolist()), colors.device)
        maps[i, k] = table.take(index[i])
    return maps


@functools.lru_cache(len(NAMES))
def _tabulated(name: tuple[int, int, int], device: torch.device) -> Tensor:
    """The likeness of all levels of red, green and blue to a name, (_LEVELS ** 3,), 0..1.

    Args:
        name: its red, green and blue, 0..255.
        device: of the result.
    """
    line = torch.linspace(0, 1, _LEVELS)
    levels = _lab(torch.cartesian_prod(line, line, line))
    asked = _lab(torch.tensor(name) / 255)
    rivals = [each for each in _lab(_BASIC) if (each - asked).norm() > 1]
    mine, *others = (
        (-_cie94(each, levels) / (2 * _SPREAD_94**2)).exp() for each in (asked, *rivals)
    )
    return _probable(mine, torch.stack(others).sum(0)).to(device)


def _cie94(reference: Tensor, colors: Tensor) -> Tensor:
    """The square of the difference CIE94 (n,) of CIELAB colours (n, 3) to a reference (3,).

    With the coefficients of graphic arts, but k_L = 2, so that lightness counts half, since
    shading changes it.
    """
    difference = reference - colors
    chroma = torch.linalg.vector_norm(reference[1:])
    of_chroma = chroma - torch.linalg.vector_norm(colors[:, 1:], dim=1)
    of_hue = (difference[:, 1:].square().sum(1) - of_chroma.square()).clamp(min=0)  # squared
    squared: Tensor = (
        (difference[:, 0] / 2).square()
        + (of_chroma / (1 + 0.045 * chroma)).square()
        + of_hue / (1 + 0.015 * chroma).square()
    )
    return squared


def _likeness(colors: Tensor, names: Tensor) -> Tensor:
    b = len(names)
    scale = colors.new_tensor([_LIGHTNESS, 1, 1])
    basic = _lab(_BASIC.to(colors))
    asked = _lab(names[..., :3])
    seen = _lab(colors).reshape(b, -1, 1, 3)

    def near(others: Tensor) -> Tensor:
        """(b, m, k) of the colours to others (b, k, 3)."""
        apart = ((seen - others[:, None]) * scale).square().sum(-1)
        return (-apart / (2 * _SPREAD**2)).exp()

    # A name that is itself a basic term must not compete with itself.
    rival = (asked[:, :, None] - basic).norm(dim=-1) > 1  # (b, n, 11)
    rivals = near(basic.expand(b, -1, -1)) @ rival.to(seen).mT
    probable = _probable(near(asked), rivals) * names[:, None, :, 3]
    return probable.reshape(*colors.shape[:-1], -1)


def _probable(mine: Tensor, rivals: Tensor) -> Tensor:
    """The share of a name's nearness in that of all names, 0..1."""
    return mine / (mine + rivals + _UNNAMED)


def _lab(colors: Tensor) -> Tensor:
    """CIELAB (..., 3) of sRGB colours (..., 3), 0..1, by CIE 15:2004."""
    colors = colors.clamp(0, 1)
    linear = torch.where(colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4)
    xyz = linear @ _XYZ_FROM_RGB.T.to(colors) / _WHITE.to(colors)
    f = torch.where(
        xyz > 216 / 24389, xyz.clamp(min=1e-6) ** (1 / 3), (24389 / 27 * xyz + 16) / 116
    )
    x, y, z = f.unbind(-1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)
