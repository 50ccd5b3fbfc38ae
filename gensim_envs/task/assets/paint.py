"""Paint on the table, which nothing collides with."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import shapely
import shapely.affinity

from gensim_envs.errors import TaskError
from gensim_envs.task.assets.base import MARK_COLOR, PAINT, Asset, Part, Slot, asset_geometry, slab
from gensim_envs.task.geometry import disc, rectangle
from gensim_envs.task.pose import Pose, wrap


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
        return rectangle(w, w) if self.shape == "square" else disc(w)

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

    @property
    def slots(self) -> tuple[Slot, ...]:
        """Its ends."""
        return tuple(Slot(end) for end in self.path())

    def parts(self) -> tuple[Part, ...]:
        return _stripes((0, 0, self.length, 0.01))


@dataclass(frozen=True)
class Corner(Asset):
    """A painted L, two strips of 1 cm by `arm`, 10 cm if not said, with the inner corner at its
    origin and the strips along its own +x and +y axes. `inner(extents)` is where a box's centre
    comes to lie.
    """

    arm: float = 0.10
    nouns = ("corner",)
    fixed = True
    shows_heading = True
    STRIP: ClassVar[float] = 0.01
    _shortest: ClassVar = {"arm": (0.03,)}

    def inner(self, extents: tuple[float, float, float]) -> list[Pose]:
        """Both ways in which a box of these extents fits, in the corner's frame."""
        x, y = extents[0] / 2, extents[1] / 2
        return [Pose(x, y), Pose(y, x, 0, math.pi / 2)]

    @property
    def slots(self) -> tuple[Slot, ...]:
        """Its inner corner."""
        return (Slot(Pose(0, 0)),)

    def shows(self, pose: Pose, asset: Asset) -> bool:
        return any(
            pose.distance(fit) < 1e-6 and abs(wrap(pose.yaw - fit.yaw, math.pi)) < 1e-6
            for fit in self.inner(asset.size)
        )

    def parts(self) -> tuple[Part, ...]:
        a, w = self.arm, self.STRIP
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

    @property
    def slots(self) -> tuple[Slot, ...]:
        """Its corners."""
        return tuple(Slot(corner) for corner in (*self.edge("open"), *self.edge("far")))

    def parts(self) -> tuple[Part, ...]:
        s, w = self.side, 0.01
        return _stripes((0, s / 2, s + w, w), *((k * s / 2, -w / 4, w, s - w / 2) for k in (-1, 1)))


MARK_WIDTH = 0.0065
"""Width of a mark's outline, metres: two pixels of the view from above."""


@dataclass(frozen=True)
class Mark(Asset):
    """The outline of the footprint of something that belongs there, painted on the table or on a
    fixed top; made by `scene.mark`.

    Attributes:
        corners: (x, y) each of the footprint, metres.
        order: of its rotational symmetry; 0 for a circle.
    """

    color: str = "gray"
    corners: tuple[tuple[float, float], ...] = (
        (-0.02, -0.02), (0.02, -0.02), (0.02, 0.02), (-0.02, 0.02)
    )  # fmt: skip
    order: int = 4
    nouns = ("mark", "outline", "spot")
    fixed = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not _is_outline(self.corners) or self.order not in range(9):
            raise TaskError("a Mark has no valid outline", "Make it with scene.mark")

    @classmethod
    def of(cls, asset: Asset) -> Mark:
        """The mark of an asset's footprint."""
        outline = shapely.Polygon(asset_geometry(asset).outline)
        corners = tuple((float(x), float(y)) for x, y in outline.exterior.coords[:-1])
        return cls(corners=corners, order=_order(outline, asset.symmetry))

    shows_heading = True

    @property
    def shown_period(self) -> float:
        return self.symmetry

    @property
    def symmetry(self) -> float:
        return math.tau / self.order if self.order else 0.0

    @property
    def slots(self) -> tuple[Slot, ...]:
        """Its inside; the variant is the order of its symmetry plus 1."""
        return (Slot(Pose(0, 0), self.order + 1),)

    def __str__(self) -> str:
        return "mark"

    def parts(self) -> tuple[Part, ...]:
        inner = shapely.Polygon(self.corners)
        if not self.order:
            across = inner.bounds[2] - inner.bounds[0] + 2 * MARK_WIDTH
            size = (across, MARK_WIDTH, PAINT)
            return (Part("tube", size, (0, 0, PAINT / 2), paint=MARK_COLOR, solid=False),)
        ring = list(_simple(inner).buffer(MARK_WIDTH / 2, join_style="mitre").exterior.coords)
        strips = []
        for (ax, ay), (bx, by) in itertools.pairwise(ring):
            size = (math.hypot(bx - ax, by - ay) + MARK_WIDTH, MARK_WIDTH, PAINT)
            tilt = (0.0, 0.0, math.atan2(by - ay, bx - ax))
            centre = ((ax + bx) / 2, (ay + by) / 2, PAINT / 2)
            strips.append(Part("box", size, centre, tilt=tilt, paint=MARK_COLOR, solid=False))
        return tuple(strips)


def _simple(outline: shapely.Polygon) -> shapely.Polygon:
    """An outline with at most 15 corners: pybullet's bodies have at most 16 parts."""
    shape, tolerance = outline, 0.0005
    while len(shape.exterior.coords) > 15:
        hull = shapely.simplify(shapely.convex_hull(outline), tolerance)
        assert isinstance(hull, shapely.Polygon)
        shape, tolerance = hull, tolerance * 1.5
    return shape


def _is_outline(corners: object) -> bool:
    """Whether corners, metres, are those of a simple polygon that fits on the table."""
    if not isinstance(corners, tuple) or not 3 <= len(corners) <= 200:
        return False
    for corner in corners:
        if not (isinstance(corner, tuple) and len(corner) == 2):
            return False
        if not all(isinstance(value, float) and abs(value) < 0.5 for value in corner):
            return False
    shape = shapely.Polygon(corners)
    return bool(shape.is_valid and shape.area > 1e-5)


def _order(outline: shapely.Polygon, period: float) -> int:
    """The order of an outline's rotational symmetry, at least that of `period`; 0 for a circle."""
    away = np.hypot(*np.array(outline.exterior.coords[:-1]).T)
    if period == 0 or (len(away) >= 16 and away.max() - away.min() < 0.02 * away.max()):
        return 0
    for order in (8, 6, 5, 4, 3, 2):
        turned = shapely.affinity.rotate(outline, 360 / order, origin=(0, 0))
        if outline.symmetric_difference(turned).area < 0.02 * outline.area:
            return order
    return 1
