"""Solid things that are picked up and stacked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gensim_envs.task.assets.base import Asset, Part, slab


@dataclass(frozen=True)
class Block(Asset):
    """A cube of 4 cm."""

    nouns = ("block", "cube", "box")
    flat_top = True
    tumbles = "cube"

    symmetry = math.pi / 2

    def parts(self) -> tuple[Part, ...]:
        return (slab(0.04, 0.04, 0.04),)


@dataclass(frozen=True)
class Box(Asset):
    """A solid box of any size: `extents` (x, y, z) in metres, 8 x 4 x 3 cm by default."""

    extents: tuple[float, float, float] = (0.08, 0.04, 0.03)
    nouns = ("box", "block")
    flat_top = True
    tumbles = "over"

    @property
    def mass(self) -> float:
        return max(0.02, 800 * math.prod(self.extents))

    def parts(self) -> tuple[Part, ...]:
        return (slab(*self.extents),)


@dataclass(frozen=True)
class Ball(Asset):
    """A ball, 4 cm across by default."""

    diameter: float = 0.04
    nouns = ("ball", "sphere")
    tumbles = "ball"
    rolling_friction = 0.0005

    symmetry = 0.0

    def parts(self) -> tuple[Part, ...]:
        d = self.diameter
        return (Part("sphere", (d, d, d), (0, 0, d / 2)),)


@dataclass(frozen=True)
class Cylinder(Asset):
    """An upright cylinder, 4 cm across and 4 cm high by default."""

    diameter: float = 0.04
    length: float = 0.04
    nouns = ("cylinder",)
    flat_top = True
    tumbles = "over"

    symmetry = 0.0

    def parts(self) -> tuple[Part, ...]:
        d, h = self.diameter, self.length
        return (Part("cylinder", (d, d, h), (0, 0, h / 2)),)


@dataclass(frozen=True)
class Disk(Asset):
    """A disk of the Tower of Hanoi: 2 cm high with a hole of 2.4 cm; 8 cm across by default."""

    diameter: float = 0.08
    nouns = ("disk", "ring")
    flat_top = True
    tumbles = "over"
    HOLE: ClassVar[float] = 0.024
    THICKNESS: ClassVar[float] = 0.02
    _shortest: ClassVar = {"diameter": (HOLE + 0.026,)}  # a suction cup needs 1.2 cm of flat ring

    symmetry = 0.0

    @property
    def grasps(self) -> tuple[tuple[float, float], ...]:
        r = (self.diameter + self.HOLE) / 4
        return ((r, 0.0), (0.0, r), (-r, 0.0), (0.0, -r))

    def parts(self) -> tuple[Part, ...]:
        wall = (self.diameter - self.HOLE) / 2
        return (Part("tube", (self.diameter, wall, self.THICKNESS), (0, 0, self.THICKNESS / 2)),)


ELL = (0.10, 0.04, 0.03875)  # arm length, arm width, distance of the centroid from the outer sides


def ell_outline() -> NDArray[np.float64]:
    """The six corners of the L about its centroid, counter-clockwise, (6, 2)."""
    a, w, c = ELL
    return np.array([(0, 0), (a, 0), (a, w), (w, w), (w, a), (0, a)]) - c


@dataclass(frozen=True)
class Ell(Asset):
    """An L-shaped block: two arms 10 cm long, 4 cm wide, 4 cm high; its origin is the centroid."""

    nouns = ("ell", "l-shaped block", "block")
    flat_top = True

    mass = 0.15

    @property
    def grasps(self) -> tuple[tuple[float, float], ...]:
        a, w, c = ELL
        return ((w / 2 - c, w / 2 - c), (a * 0.7 - c, w / 2 - c), (w / 2 - c, a * 0.7 - c))

    def parts(self) -> tuple[Part, ...]:
        a, w, c = ELL
        return (
            slab(w, a, 0.04, center=(w / 2 - c, a / 2 - c, 0.02)),
            slab(a - w, w, 0.04, center=((a + w) / 2 - c, w / 2 - c, 0.02)),
        )


@dataclass(frozen=True)
class Roof(Asset):
    """A gable roof whose ridge runs along its own x axis; `extents` are 16 x 8 x 4 cm by default.

    The ridge is flat and a quarter as wide as the roof, so that a suction cup finds hold on it.
    """

    extents: tuple[float, float, float] = (0.16, 0.08, 0.04)
    nouns = ("roof",)

    symmetry = math.pi

    @property
    def mass(self) -> float:
        return max(0.02, 500 * math.prod(self.extents))

    def parts(self) -> tuple[Part, ...]:
        x, y = self.extents[0] / 2, self.extents[1] / 2
        corners = ((-x, -y), (x, -y), (x, y), (-x, y))
        return (
            Part("mesh", self.extents, (0, 0, 0), mesh="roof", scale=self.extents, corners=corners),
        )
