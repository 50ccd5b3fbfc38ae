"""What can stand on the table: typed assets with real dimensions, as plain data.

An asset says everything about itself once: its parts, size, yaw symmetry, whether it is fixed to
the table, where a suction cup can hold it, and by which nouns a sentence may call it. Its frame
has the origin at the centre of the footprint, on the underside. To add an asset, add a class here;
spawning, placing, judging and the sandbox follow from it. Lengths are in metres, masses in
kilograms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, ClassVar, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from gensim_envs.task.errors import TaskError
from gensim_envs.task.pose import Pose

COLORS: dict[str, tuple[int, int, int]] = {
    "red": (214, 45, 45),
    "green": (62, 160, 68),
    "blue": (42, 96, 200),
    "yellow": (243, 205, 45),
    "brown": (130, 82, 48),
    "gray": (128, 132, 138),
    "cyan": (64, 202, 214),
    "black": (38, 38, 42),
    "orange": (244, 132, 30),
    "purple": (134, 70, 168),
    "pink": (246, 150, 192),
    "white": (248, 248, 248),
}
"""Named colours as sRGB bytes."""

_SHARED = ("red", "green", "blue")
SPLIT_COLORS: dict[str, tuple[str, ...]] = {
    "train": (*_SHARED, "yellow", "brown", "gray", "cyan", "black"),
    "test": (*_SHARED, "orange", "purple", "pink", "white"),
}
"""Seen and unseen colours. As in CLIPort (arXiv 2109.12098): three are shared, yellow,
brown, gray and cyan are seen only, orange, purple, pink and white unseen only. Black, which CLIPort
does not have, is seen."""


@dataclass(frozen=True, slots=True)
class Part:
    """One rigid primitive of an asset, in the asset's frame.

    Attributes:
        shape: `tube` is a ring of wall, open above and below.
        size: full extents (x, y, z); for a tube (outer diameter at the bottom, wall thickness,
            height).
        center: of the primitive.
        tilt: (roll, pitch, yaw), radians.
        flare: how much wider a tube's radius is at the top than at the bottom.
        shade: factor on the colour's brightness, so that neighbouring parts can be told apart.
        solid: False for paint on the table, which nothing collides with.
    """

    shape: Literal["box", "cylinder", "sphere", "tube"]
    size: tuple[float, float, float]
    center: tuple[float, float, float]
    tilt: tuple[float, float, float] = (0.0, 0.0, 0.0)
    flare: float = 0.0
    shade: float = 1.0
    solid: bool = True

    @property
    def outline(self) -> shapely.Polygon:
        """The part seen from above; exact for upright parts, which is all that placing needs."""
        if self.shape == "box":
            w, d = self.size[0] / 2, self.size[1] / 2
            corners = np.array([(-w, -d), (w, -d), (w, d), (-w, d)])
        else:
            radius = self.size[0] / 2 + max(self.flare, 0.0)
            angle = np.arange(24) * (math.tau / 24)
            corners = radius / math.cos(math.pi / 24) * np.c_[np.cos(angle), np.sin(angle)]
        c, s = math.cos(self.tilt[2]), math.sin(self.tilt[2])
        turned = corners @ np.array([[c, s], [-s, c]])
        return shapely.Polygon(turned + np.array(self.center[:2]))


def _slab(x: float, y: float, z: float, **where: Any) -> Part:
    """A box standing on z = 0, unless `center` says otherwise."""
    where.setdefault("center", (0.0, 0.0, z / 2))
    return Part("box", (x, y, z), **where)


_PAINT = 0.001  # thickness of flat markers: thinner would flicker in a depth buffer


@dataclass(frozen=True)
class Asset:
    """Base of all assets.

    Attributes:
        color: a name from `COLORS`.
    """

    color: str

    nouns: ClassVar[tuple[str, ...]]
    fixed: ClassVar[bool] = False
    hollow: ClassVar[bool] = False
    """True where another item may reach into its outline: a bowl, pegs, a fixture."""
    tumbles: ClassVar[Literal["no", "cube", "ball"]] = "no"
    """Which ways up are all the same."""
    bodies: ClassVar[int] = 1
    """How many separate bodies it is made of: beads, crumbs."""
    friction: ClassVar[float] = 0.6
    rolling_friction: ClassVar[float] = 0.0
    damping: ClassVar[tuple[float, float]] = (0.04, 0.04)
    """Share of linear and angular speed that is lost in a second."""

    def __post_init__(self) -> None:
        if self.color not in COLORS:
            raise TaskError(
                f"{type(self).__name__} has the unknown color {self.color!r}",
                f"Use one of {', '.join(COLORS)}",
            )
        for f in fields(self):
            if isinstance(f.default, (float, tuple)):
                _check_lengths(type(self).__name__, f.name, getattr(self, f.name), f.default)

    @property
    def size(self) -> tuple[float, float, float]:
        """Extents (x, y, z) of the whole, metres."""
        return asset_geometry(self).size

    @property
    def height(self) -> float:
        """From underside to top, metres."""
        return self.size[2]

    @property
    def symmetry(self) -> float:
        """Yaw period in radians: turned by this it looks the same. 0 means any turn."""
        return math.tau

    @property
    def mass(self) -> float:
        """Kilograms."""
        return 0.05

    @property
    def grasps(self) -> tuple[tuple[float, float], ...]:
        """Points (x, y) in the asset's frame where a suction cup finds a flat top, best first."""
        return ((0.0, 0.0),)

    @property
    def opening(self) -> shapely.Polygon | None:
        """For hollow assets and zones, the region that counts as inside, in the asset's frame."""
        return None

    def parts(self) -> tuple[Part, ...]:
        """The rigid primitives it is made of."""
        raise NotImplementedError(type(self).__name__)

    def __str__(self) -> str:
        return f"{self.color} {self.nouns[0]}"

    def to_json(self) -> dict[str, Any]:
        """Type and fields."""
        data: dict[str, Any] = {"type": type(self).__name__}
        for f in fields(self):
            value = getattr(self, f.name)
            data[f.name] = list(value) if isinstance(value, tuple) else value
        return data

    @staticmethod
    def from_json(data: Any) -> Asset:
        """The inverse of `to_json`.

        Raises:
            TaskError: on an unknown type or field, or a value out of range.
        """
        if not isinstance(data, dict) or data.get("type") not in ASSETS:
            raise TaskError(f"there is no asset {data!r:.80}", f"Use one of {', '.join(ASSETS)}")
        cls = ASSETS[data["type"]]
        values: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in data.items() if k != "type"
        }
        try:
            return cls(**values)
        except TypeError as error:
            raise TaskError(f"{data['type']} got wrong fields: {error}") from error


def _check_lengths(kind: str, name: str, value: Any, like: float | tuple[float, ...]) -> None:
    """One length, or a tuple of as many as in `like`: plain numbers that fit on the table."""
    problem = f"{kind}'s {name} is {value!r:.80}"
    numbers = value if isinstance(like, tuple) else (value,)
    if not isinstance(numbers, tuple) or len(numbers) != len(np.atleast_1d(like)):
        raise TaskError(problem, "Give (x, y, z) in metres, as a tuple")
    for number in numbers:
        plain = isinstance(number, (int, float)) and not isinstance(number, bool)
        if not plain or not number >= 0.002:
            raise TaskError(problem, "Give lengths in metres, at least 2 mm")
        if number > 0.9:
            raise TaskError(problem, "The table is 0.5 m by 1 m")


def _check_shortest(kind: str, name: str, value: float, least: float) -> None:
    if value < least:
        raise TaskError(f"{kind}'s {name} is {value!r}", f"Give at least {least} m")


def _box_symmetry(x: float, y: float) -> float:
    return math.pi / 2 if math.isclose(x, y) else math.pi


@dataclass(frozen=True)
class Block(Asset):
    """A cube of 4 cm."""

    nouns = ("block", "cube")
    tumbles = "cube"

    @property
    def symmetry(self) -> float:
        return math.pi / 2

    def parts(self) -> tuple[Part, ...]:
        return (_slab(0.04, 0.04, 0.04),)


@dataclass(frozen=True)
class Box(Asset):
    """A solid box of any size: `extents` (x, y, z) in metres, 8 x 4 x 3 cm if not said."""

    extents: tuple[float, float, float] = (0.08, 0.04, 0.03)
    nouns = ("box",)

    @property
    def symmetry(self) -> float:
        return _box_symmetry(*self.extents[:2])

    @property
    def mass(self) -> float:
        return max(0.02, 800 * math.prod(self.extents))

    def parts(self) -> tuple[Part, ...]:
        return (_slab(*self.extents),)


@dataclass(frozen=True)
class Ball(Asset):
    """A ball, 4 cm across if not said."""

    diameter: float = 0.04
    nouns = ("ball",)
    tumbles = "ball"
    rolling_friction = 0.0005

    @property
    def symmetry(self) -> float:
        return 0.0

    def parts(self) -> tuple[Part, ...]:
        d = self.diameter
        return (Part("sphere", (d, d, d), (0, 0, d / 2)),)


@dataclass(frozen=True)
class Cylinder(Asset):
    """An upright cylinder, 4 cm across and 4 cm high if not said."""

    diameter: float = 0.04
    length: float = 0.04
    nouns = ("cylinder",)

    @property
    def symmetry(self) -> float:
        return 0.0

    def parts(self) -> tuple[Part, ...]:
        d, h = self.diameter, self.length
        return (Part("cylinder", (d, d, h), (0, 0, h / 2)),)


@dataclass(frozen=True)
class Bowl(Asset):
    """A round bowl: 12 cm across at the rim, 8.8 cm at the floor, 4 cm high."""

    nouns = ("bowl",)
    hollow = True

    @property
    def symmetry(self) -> float:
        return 0.0

    @property
    def mass(self) -> float:
        return 0.2

    @property
    def opening(self) -> shapely.Polygon:
        return shapely.Point(0, 0).buffer(0.056)

    def parts(self) -> tuple[Part, ...]:
        return (
            Part("cylinder", (0.088, 0.088, 0.005), (0, 0, 0.0025), shade=0.8),
            Part("tube", (0.088, 0.004, 0.04), (0, 0, 0.02), flare=0.016),
        )


@dataclass(frozen=True)
class Container(Asset):
    """An open box with walls and floor of 5 mm; `extents` are the outer ones, 20 x 16 x 6 cm if
    not said. Fixed unless added with `fixed=False`.
    """

    extents: tuple[float, float, float] = (0.20, 0.16, 0.06)
    nouns = ("container", "tray", "bin", "crate")
    fixed = True
    hollow = True
    WALL: ClassVar[float] = 0.005

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_shortest("Container", "shorter side", min(self.extents[:2]), 4 * self.WALL)
        _check_shortest("Container", "height", self.extents[2], 2 * self.WALL)

    @property
    def symmetry(self) -> float:
        return _box_symmetry(*self.extents[:2])

    @property
    def mass(self) -> float:
        return 0.3

    @property
    def opening(self) -> shapely.Polygon:
        x, y = (side / 2 - self.WALL for side in self.extents[:2])
        return shapely.box(-x, -y, x, y)

    def parts(self) -> tuple[Part, ...]:
        x, y, z = self.extents
        t = self.WALL
        return (
            _slab(x, y, t, shade=0.8),
            *(_slab(t, y, z, center=(s * (x - t) / 2, 0, z / 2)) for s in (-1, 1)),
            *(_slab(x - 2 * t, t, z, center=(0, s * (y - t) / 2, z / 2)) for s in (-1, 1)),
        )


@dataclass(frozen=True)
class Zone(Asset):
    """A flat patch painted on the table, `width` across: a square or a disc."""

    width: float = 0.12
    shape: Literal["square", "round"] = "square"
    nouns = ("zone", "area", "patch")
    fixed = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.shape not in ("square", "round"):
            raise TaskError(f"Zone's shape is {self.shape!r:.80}", 'Use "square" or "round"')

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
        size = (self.width, self.width, _PAINT)
        return (Part(shape, size, (0, 0, _PAINT / 2), solid=False),)


def _stripes(*stripes: tuple[float, float, float, float]) -> tuple[Part, ...]:
    """Paint: rectangles (centre x, centre y, size x, size y)."""
    return tuple(
        _slab(w, d, _PAINT, center=(x, y, _PAINT / 2), solid=False) for x, y, w, d in stripes
    )


@dataclass(frozen=True)
class Line(Asset):
    """A painted line along its own x axis, 20 cm by 1 cm if not said."""

    length: float = 0.20
    nouns = ("stripe",)
    fixed = True

    @property
    def symmetry(self) -> float:
        return math.pi

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
    """Three sides of a square painted in strips of 1 cm; the side at -y is open. `gap()` are the
    ends of the open side. `side` is measured between the middles of the strips.
    """

    side: float = 0.20
    nouns = ("square",)
    fixed = True

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_shortest("OpenSquare", "side", self.side, 0.03)

    def gap(self) -> list[Pose]:
        """The two ends of the open side, in its own frame."""
        return [Pose(-self.side / 2, -self.side / 2), Pose(self.side / 2, -self.side / 2)]

    def parts(self) -> tuple[Part, ...]:
        s, w = self.side, 0.01
        return _stripes((0, s / 2, s + w, w), *((k * s / 2, -w / 4, w, s - w / 2) for k in (-1, 1)))


@dataclass(frozen=True)
class Stand(Asset):
    """A low solid platform: 17 x 6 x 1.5 cm if not said; fixed to the table."""

    extents: tuple[float, float, float] = (0.17, 0.06, 0.015)
    nouns = ("stand", "platform", "base")
    fixed = True

    @property
    def symmetry(self) -> float:
        return _box_symmetry(*self.extents[:2])

    @property
    def mass(self) -> float:
        return 0.3

    def parts(self) -> tuple[Part, ...]:
        return (_slab(*self.extents),)


@dataclass(frozen=True)
class Pallet(Asset):
    """A slatted pallet, 24 x 18 cm and 2 cm high; fixed to the table."""

    nouns = ("pallet",)
    fixed = True

    @property
    def symmetry(self) -> float:
        return math.pi

    def parts(self) -> tuple[Part, ...]:
        slats = tuple(
            _slab(0.24, 0.03, 0.008, center=(0, y, 0.016))
            for y in (-0.075, -0.0375, 0, 0.0375, 0.075)
        )
        runners = tuple(
            _slab(0.03, 0.18, 0.012, center=(x, 0, 0.006), shade=0.7) for x in (-0.105, 0, 0.105)
        )
        return slats + runners


@dataclass(frozen=True)
class Disk(Asset):
    """A disk of the Tower of Hanoi: 2 cm high with a hole of 2.4 cm; 8 cm across if not said."""

    diameter: float = 0.08
    nouns = ("disk", "ring")
    HOLE: ClassVar[float] = 0.024
    THICKNESS: ClassVar[float] = 0.02

    def __post_init__(self) -> None:
        super().__post_init__()
        # A suction cup needs 1.2 cm of flat ring.
        _check_shortest("Disk", "diameter", self.diameter, self.HOLE + 0.026)

    @property
    def symmetry(self) -> float:
        return 0.0

    @property
    def grasps(self) -> tuple[tuple[float, float], ...]:
        r = (self.diameter + self.HOLE) / 4
        return ((r, 0.0), (0.0, r), (-r, 0.0), (0.0, -r))

    def parts(self) -> tuple[Part, ...]:
        wall = (self.diameter - self.HOLE) / 2
        return (Part("tube", (self.diameter, wall, self.THICKNESS), (0, 0, self.THICKNESS / 2)),)


@dataclass(frozen=True)
class PegStand(Asset):
    """The Tower of Hanoi's board, 36 x 12 x 1 cm, with three pegs 12 cm apart along its own x axis,
    1.2 cm thick and 8 cm high. `peg(k)` is where the lowest disk of peg k (0, 1, 2) lies.
    """

    nouns = ("peg", "board")
    fixed = True
    hollow = True
    PITCH: ClassVar[float] = 0.12
    BOARD: ClassVar[float] = 0.01

    @property
    def symmetry(self) -> float:
        return math.pi

    def peg(self, index: int) -> Pose:
        """Foot of a peg, in the stand's frame."""
        if index not in (0, 1, 2):
            raise TaskError(f"there is no peg {index!r}", "Pegs are 0, 1 and 2")
        return Pose((index - 1) * self.PITCH, 0, self.BOARD)

    def parts(self) -> tuple[Part, ...]:
        pegs: list[Part] = []
        for k in range(3):
            x = self.peg(k).x
            # A round tip lets a disk that is a few millimetres off slide on.
            pegs.append(Part("cylinder", (0.012, 0.012, 0.08), (x, 0, 0.05), shade=0.8))
            pegs.append(Part("sphere", (0.012, 0.012, 0.012), (x, 0, 0.09), shade=0.8))
        return (_slab(0.36, 0.12, self.BOARD), *pegs)


_ELL = (0.10, 0.04, 0.03875)  # arm length, arm width, distance of the centroid from the outer sides


def _ell_outline() -> NDArray[np.float64]:
    """The six corners of the L about its centroid, counter-clockwise, (6, 2)."""
    a, w, c = _ELL
    return np.array([(0, 0), (a, 0), (a, w), (w, w), (w, a), (0, a)]) - c


@dataclass(frozen=True)
class Ell(Asset):
    """An L-shaped block: two arms 10 cm long, 4 cm wide, 4 cm high; its origin is the centroid."""

    nouns = ("ell", "l-shaped block", "block")

    @property
    def mass(self) -> float:
        return 0.15

    @property
    def grasps(self) -> tuple[tuple[float, float], ...]:
        a, w, c = _ELL
        return ((w / 2 - c, w / 2 - c), (a * 0.7 - c, w / 2 - c), (w / 2 - c, a * 0.7 - c))

    def parts(self) -> tuple[Part, ...]:
        a, w, c = _ELL
        return (
            _slab(w, a, 0.04, center=(w / 2 - c, a / 2 - c, 0.02)),
            _slab(a - w, w, 0.04, center=((a + w) / 2 - c, w / 2 - c, 0.02)),
        )


@dataclass(frozen=True)
class Fixture(Asset):
    """A low wall round an L-shaped hole that fits an `Ell` of the same pose with 3 mm to spare.

    The walls are 2 cm high and lean outwards by 35 degrees, as a chamfer does for a real
    insertion: an ell that is let go a few millimetres off slides in.
    """

    nouns = ("fixture",)
    fixed = True
    hollow = True
    friction = 0.1

    def parts(self) -> tuple[Part, ...]:
        gap, height, lean, thick = 0.003, 0.02, math.radians(35), 0.004
        corners = _ell_outline()
        walls = []
        for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            along = (b - a) / np.linalg.norm(b - a)
            outwards = np.array([along[1], -along[0]])
            # Middle of a leaning wall whose inner lower edge is `gap` outside the ell.
            middle = (a + b) / 2 + outwards * (
                gap + math.tan(lean) * height / 2 + thick / 2 / math.cos(lean)
            )
            length = float(np.linalg.norm(b - a))
            walls.append(
                Part(
                    "box",
                    (length, thick, height / math.cos(lean)),
                    (float(middle[0]), float(middle[1]), height / 2),
                    tilt=(lean, 0.0, math.atan2(along[1], along[0])),
                )
            )
        return tuple(walls)


@dataclass(frozen=True)
class Rope(Asset):
    """A rope of 20 beads, 1.2 cm thick; 22.8 cm from the first bead's centre to the last one's."""

    nouns = ("rope", "cable")
    bodies = 20
    # Beads that neither roll nor swing: a rope lies where it is put.
    friction = 1.0
    rolling_friction = 0.005
    damping = (0.5, 0.9)
    BEAD: ClassVar[float] = 0.012
    LENGTH: ClassVar[float] = 0.228

    def parts(self) -> tuple[Part, ...]:
        """One bead."""
        return (Part("sphere", (self.BEAD,) * 3, (0, 0, self.BEAD / 2)),)

    @property
    def mass(self) -> float:
        """Of one bead."""
        return 0.005


@dataclass(frozen=True)
class Pile(Asset):
    """A heap of 50 cubic crumbs of 1 cm, spread over a disc of 10 cm; moved with the spatula."""

    nouns = ("pile", "crumb", "heap")
    bodies = 50
    CRUMB: ClassVar[float] = 0.01
    SPREAD: ClassVar[float] = 0.10

    def parts(self) -> tuple[Part, ...]:
        """One crumb."""
        return (_slab(self.CRUMB, self.CRUMB, self.CRUMB),)

    @property
    def mass(self) -> float:
        """Of one crumb."""
        return 0.002


ASSETS: dict[str, type[Asset]] = {
    cls.__name__: cls
    for cls in (
        Block, Box, Ball, Cylinder, Bowl, Container, Zone, Line, Corner, OpenSquare, Stand, Pallet,
        Disk, PegStand, Ell, Fixture, Rope, Pile,
    )
}  # fmt: skip
"""Every asset by the name of its class; observations number them in this order."""


@dataclass(frozen=True)
class Geometry:
    """What follows from an asset's parts.

    Attributes:
        outline: corners of the footprint, (n, 2), in the asset's frame.
        size: extents (x, y, z).
        flat: nothing collides with it.
    """

    outline: NDArray[np.float64]
    size: tuple[float, float, float]
    flat: bool


@cache
def asset_geometry(asset: Asset) -> Geometry:
    """Footprint and extents of an asset; equal assets share one result."""
    parts = asset.parts()
    if isinstance(asset, Pile):
        parts += (Part("cylinder", (asset.SPREAD, asset.SPREAD, asset.CRUMB), (0, 0, 0.005)),)
    # The grid closes seams of rounding error between parts that touch.
    union = shapely.union_all([part.outline for part in parts], grid_size=1e-6)
    shape = union if isinstance(union, shapely.Polygon) else shapely.Polygon(_hull(union))
    # A round part's outline is drawn round its circle; its extent is the circle's own.
    slack = 0.0 if any(part.shape == "box" for part in parts) else 1 - math.cos(math.pi / 24)
    x0, y0, x1, y1 = shape.bounds
    top = max(part.center[2] + _half_height(part) for part in parts)
    return Geometry(
        np.array(shape.exterior.coords[:-1]),
        ((x1 - x0) * (1 - slack), (y1 - y0) * (1 - slack), top),
        not any(part.solid for part in parts),
    )


def _hull(shape: shapely.Geometry) -> NDArray[np.float64]:
    return shapely.get_coordinates(shapely.convex_hull(shape))


def _half_height(part: Part) -> float:
    lean = max(abs(part.tilt[0]), abs(part.tilt[1]))
    return part.size[2] / 2 * math.cos(lean)
