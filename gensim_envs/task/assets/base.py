"""The base of all assets: colours, rigid parts, and the geometry that follows from them.

An asset's frame has its origin at the centre of the footprint, on the underside. Lengths are in
metres, masses in kilograms.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, ClassVar, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from gensim_envs.errors import TaskError
from gensim_envs.task.geometry import footprint
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
    "indigo": (50, 30, 110),
    "violet": (160, 60, 230),
    "silver": (166, 176, 204),
    "gold": (176, 138, 24),
}
"""Named colours as sRGB bytes. The last four are drawn in neither split."""
MARK_COLOR = (84, 84, 64)
"""sRGB bytes of marks and silhouettes: a CIE76 difference of 25 or more from every named colour and
from the table."""

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
    """One rigid piece of an asset, in the asset's frame.

    Attributes:
        shape: `tube` is a ring of wall, open above and below; `mesh` is read from a file.
        size: full extents (x, y, z); for a tube (outer diameter at the bottom, wall thickness,
            height).
        center: of a primitive; of a mesh the foot, which is its file's origin.
        tilt: (roll, pitch, yaw), radians.
        flare: how much wider a tube's radius is at the top than at the bottom.
        shade: factor on the colour's brightness, so that neighbouring parts can be told apart.
        paint: sRGB bytes, for a part that does not have the asset's colour.
        solid: False for what nothing collides with: paint, or the look of a mesh.
        seen: False for what is only collided with.
        mesh: file below gensim_envs/sim/models, without its suffix.
        scale: factors (x, y, z) on a mesh.
        corners: the scaled mesh seen from above, (x, y) each; none if other parts cover it.
    """

    shape: Literal["box", "cylinder", "sphere", "tube", "mesh"]
    size: tuple[float, float, float]
    center: tuple[float, float, float]
    tilt: tuple[float, float, float] = (0.0, 0.0, 0.0)
    flare: float = 0.0
    shade: float = 1.0
    paint: tuple[int, int, int] | None = None
    solid: bool = True
    seen: bool = True
    mesh: str = ""
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    corners: tuple[tuple[float, float], ...] = ()

    @property
    def outline(self) -> shapely.Polygon:
        """The part seen from above; exact for upright parts, as placing needs."""
        if self.shape == "mesh":
            corners = np.array(self.corners).reshape(-1, 2)
        elif self.shape == "box":
            w, d = self.size[0] / 2, self.size[1] / 2
            corners = np.array([(-w, -d), (w, -d), (w, d), (-w, d)])
        else:
            radius = self.size[0] / 2 + max(self.flare, 0.0)
            angle = np.arange(24) * (math.tau / 24)
            corners = radius / math.cos(math.pi / 24) * np.c_[np.cos(angle), np.sin(angle)]
        return footprint(corners, Pose(*self.center[:2], 0.0, self.tilt[2]))

    @property
    def top(self) -> float:
        """Height of its upper end above the asset's underside, metres."""
        if self.shape == "mesh":
            return self.center[2] + self.size[2]
        lean = max(abs(self.tilt[0]), abs(self.tilt[1]))
        return self.center[2] + self.size[2] / 2 * math.cos(lean)


def slab(x: float, y: float, z: float, **where: Any) -> Part:
    """A box standing on z = 0, unless `center` says otherwise."""
    where.setdefault("center", (0.0, 0.0, z / 2))
    return Part("box", (x, y, z), **where)


PAINT = 0.001  # thickness of flat markers: thinner would flicker in a depth buffer


@dataclass(frozen=True, slots=True)
class Slot:
    """A spot of an asset where something can go, in the asset's frame.

    Attributes:
        pose: of what goes there.
        variant: which of the asset's kinds of slots it is, from 1 on; 0 where all are alike.
    """

    pose: Pose
    variant: int = 0


@dataclass(frozen=True)
class Asset:
    """Base of all assets.

    Attributes:
        color: a name from `COLORS`.
    """

    color: str

    nouns: ClassVar[tuple[str, ...]]
    """What assets of this class may be called."""
    fixed: ClassVar[bool] = False
    hollow: ClassVar[bool] = False
    """True where another item may reach into its outline: a bowl, pegs, a fixture."""
    tumbles: ClassVar[Literal["no", "over", "cube", "ball"]] = "no"
    """Which other orientations look upright, too: `over` for what is the same upside down."""
    flat_top: ClassVar[bool] = False
    """Whether its top is level and wide, so that blind play puts items there."""
    shows_heading: ClassVar[bool] = False
    """Whether the picture of a place on it shows the heading of what belongs there."""
    fits: ClassVar[bool] = False
    """Whether things fit into its places, which are judged by 5 mm and 8 degrees."""
    spread: ClassVar[float] = 0.0
    """Diameter of the disc over which its bodies lie at the start, metres."""
    friction: ClassVar[float] = 0.6
    rolling_friction: ClassVar[float] = 0.0
    damping: ClassVar[tuple[float, float]] = (0.04, 0.04)
    """Share of linear and angular speed that is lost in a second."""
    _choices: ClassVar[Mapping[str, Collection[str]]] = {}
    """Fields that take one of several names."""
    _shortest: ClassVar[Mapping[str, tuple[float, ...]]] = {}
    """The least lengths of fields that must be more than 2 mm, metres."""

    def __post_init__(self) -> None:
        kind = type(self).__name__
        for name, known in {"color": COLORS, **self._choices}.items():
            check_choice(kind, name, getattr(self, name), known)
        for f in fields(self):
            default: Any = f.default
            lengths = default if isinstance(default, tuple) else (default,)
            if lengths and all(isinstance(length, float) for length in lengths):
                least = self._shortest.get(f.name, (0.002,) * len(lengths))
                _check_lengths(f"{kind}'s {f.name}", getattr(self, f.name), least)

    @property
    def size(self) -> tuple[float, float, float]:
        """Extents (x, y, z) of the whole, metres."""
        return asset_geometry(self).size

    @property
    def height(self) -> float:
        """From underside to top, metres."""
        return self.size[2]

    @property
    def variant(self) -> int:
        """Which of the shapes or objects of its class it is, from 1 on; 0 where all are alike."""
        return 0

    @property
    def bodies(self) -> int:
        """How many separate bodies it is made of: beads, crumbs."""
        return 1

    @property
    def symmetry(self) -> float:
        """Yaw period, radians: rotated by this it looks the same. 0 means any rotation.

        An asset with `extents` is a box, unless its class says otherwise.
        """
        if (extents := getattr(self, "extents", None)) is None:
            return math.tau
        return math.pi / 2 if math.isclose(extents[0], extents[1]) else math.pi

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

    def shows(self, pose: Pose, asset: Asset) -> bool:
        """Whether the picture of it shows `pose`, in its frame, as a place for an asset.

        Heights do not count, so that things can be stacked there.
        """
        places = (Pose(0.0, 0.0), *(slot.pose for slot in self.slots))
        return any(pose.distance(place) < 1e-6 for place in places)

    @property
    def shown_period(self) -> float | None:
        """Yaw period, radians, with which the picture of a place on it shows a heading.

        None where it shows as much as the item that belongs there has.
        """
        return None

    def parts(self) -> tuple[Part, ...]:
        """The rigid primitives it is made of."""
        raise NotImplementedError(type(self).__name__)

    @property
    def slots(self) -> tuple[Slot, ...]:
        """Spots that it shows for other things, beside its own middle and opening."""
        return ()

    @property
    def called(self) -> tuple[str, ...]:
        """What this one may be called, the usual name first."""
        return self.nouns

    def __str__(self) -> str:
        return f"{self.color} {self.called[0]}"


def check_choice(kind: str, name: str, value: object, known: Collection[str]) -> None:
    """Check that a field holds one of the known names."""
    if value not in tuple(known):
        raise TaskError(
            f"{kind} has the unknown {name} {value!r:.60}", f"Use one of {', '.join(known)}"
        )


def _check_lengths(name: str, value: Any, least: tuple[float, ...]) -> None:
    """Check a length, or a tuple of several: numbers that fit on the table."""
    problem = f"{name} is {value!r:.80}"
    numbers = value if len(least) > 1 else (value,)
    if not isinstance(numbers, tuple) or len(numbers) != len(least):
        raise TaskError(problem, "Give (x, y, z) in metres, as a tuple")
    for number, low in zip(numbers, least, strict=True):
        plain = isinstance(number, (int, float)) and not isinstance(number, bool)
        if not plain or not low <= number <= 0.9:
            raise TaskError(problem, f"Give at least {low:g} m and at most 0.9 m")


@dataclass(frozen=True)
class Geometry:
    """Footprint and extents of an asset.

    Attributes:
        outline: corners of the footprint, (n, 2), in the asset's frame.
        size: extents (x, y, z).
        flat: nothing collides with it.
    """

    outline: NDArray[np.float64]
    size: tuple[float, float, float]
    flat: bool


@lru_cache(maxsize=256)  # sizes are drawn at random, so there is no end to them
def asset_geometry(asset: Asset) -> Geometry:
    """Footprint and extents of an asset; equal assets share one result."""
    parts = asset.parts()
    if asset.spread:
        parts += (Part("cylinder", (asset.spread, asset.spread, 0.001), (0, 0, 0.0005)),)
    # The grid closes seams of rounding error between parts that touch.
    union = shapely.union_all([part.outline for part in parts], grid_size=1e-6)
    shape = union if isinstance(union, shapely.Polygon) else shapely.convex_hull(union)
    assert isinstance(shape, shapely.Polygon)
    # A round part's outline is drawn round its circle; its extent is the circle's own.
    exact = any(part.shape in ("box", "mesh") for part in parts)
    slack = 0.0 if exact else 1 - math.cos(math.pi / 24)
    x0, y0, x1, y1 = shape.bounds
    top = max(part.top for part in parts)
    return Geometry(
        np.array(shape.exterior.coords[:-1]),
        ((x1 - x0) * (1 - slack), (y1 - y0) * (1 - slack), top),
        not any(part.solid for part in parts),
    )
