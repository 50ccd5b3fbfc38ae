"""Marks painted on the table, which nothing collides with."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import shapely

from gensim_envs.errors import TaskError
from gensim_envs.task.assets.base import PAINT, Asset, Part, slab
from gensim_envs.task.pose import Pose


@dataclass(frozen=True)
class Zone(Asset):
    """A flat patch painted on the table, `width` across: a square or a disc."""

    width: float = 0.12
    shape: Literal["square", "round"] = "square"
    nouns = ("zone", "area", "patch")
    fixed = True
    _choices: ClassVar = {"shape": ("square", "round")}
    _shortest: ClassVar = {"width": (0.01,)}

    @property
    def symmetry(self) -> float:
        return math.pi / 2 if self.shape == "square" else 0.0

    @property
    def opening(self) -> shapely.Polygon:
        w = self.width / 2
        return (
            shapely.box(-w, -w, w, w) if self.shape == "square" else shapely.Point(0, 0).buffer(w)
        )

    def parts(self) -> tuple[Part, ...]:
        shape: Literal["box", "cylinder"] = "box" if self.shape == "square" else "cylinder"
        size = (self.width, self.width, PAINT)
        return (Part(shape, size, (0, 0, PAINT / 2), solid=False),)


def _stripes(*stripes: tuple[float, float, float, float]) -> tuple[Part, ...]:
    """Paint: rectangles (centre x, centre y, size x, size y)."""
    return tuple(slab(w, d, PAINT, center=(x, y, PAINT / 2), solid=False) for x, y, w, d in stripes)


@dataclass(frozen=True)
class Line(Asset):
    """A painted line along its own x axis, 20 cm by 1 cm by default."""

    length: float = 0.20
    nouns = ("stripe",)
    fixed = True

    symmetry = math.pi

    def path(self) -> list[Pose]:
        """Its two ends, in its own frame."""
        return [Pose(-self.length / 2, 0), Pose(self.length / 2, 0)]

    def parts(self) -> tuple[Part, ...]:
        return _stripes((0, 0, self.length, 0.01))


@dataclass(frozen=True)
class Corner(Asset):
    """A painted L, two strips of 10 cm by 1 cm, with the inner corner at its origin and the
    strips along its own +x and +y axes. `inner(extents)` is where a box's centre comes to lie.
    """

    nouns = ("corner",)
    fixed = True
    ARM: ClassVar[float] = 0.10
    STRIP: ClassVar[float] = 0.01

    def inner(self, extents: tuple[float, float, float]) -> list[Pose]:
        """Both ways in which a box of these extents fits, in the corner's frame."""
        x, y = extents[0] / 2, extents[1] / 2
        return [Pose(x, y), Pose(y, x, 0, math.pi / 2)]

    def parts(self) -> tuple[Part, ...]:
        a, w = self.ARM, self.STRIP
        return _stripes((a / 2 - w / 2, -w / 2, a + w, w), (-w / 2, a / 2, w, a))


@dataclass(frozen=True)
class OpenSquare(Asset):
    """Three sides of a square painted in strips of 1 cm; the side at -y is open. `side` is measured
    between the middles of the strips. `edge(name)` are the ends of a side: "open", "far", "left"
    or "right", as seen from the open one.
    """

    side: float = 0.20
    nouns = ("square",)
    fixed = True
    _shortest: ClassVar = {"side": (0.03,)}

    def edge(self, name: str) -> list[Pose]:
        """The two ends of a side, in its own frame."""
        h = self.side / 2
        edges = {
            "open": [Pose(-h, -h), Pose(h, -h)],
            "far": [Pose(-h, h), Pose(h, h)],
            "left": [Pose(-h, -h), Pose(-h, h)],
            "right": [Pose(h, -h), Pose(h, h)],
        }
        if name not in edges:
            raise TaskError(f"there is no edge {name!r:.60}", f"Use one of {', '.join(edges)}")
        return edges[name]

    def parts(self) -> tuple[Part, ...]:
        s, w = self.side, 0.01
        return _stripes((0, s / 2, s + w, w), *((k * s / 2, -w / 4, w, s - w / 2) for k in (-1, 1)))
