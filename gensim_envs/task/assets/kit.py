"""Kits: twenty flat pieces, and a board with a silhouette for each of its pieces.

The shapes are those that CLIPort (arXiv 2109.12098) names; the first fourteen are seen in
training, the last six are not. Board and places follow Transporter Networks (arXiv 2010.14406):
28 by 20 cm with two rows of three and two. `scripts/models` makes the meshes from these outlines.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import numpy as np
import shapely
from numpy.typing import NDArray

from gensim_envs.errors import TaskError
from gensim_envs.task.assets.base import MARK_COLOR, PAINT, Asset, Part, Slot, check_choice, slab
from gensim_envs.task.pose import Pose

PIECE_HEIGHT = 0.02
"""Metres."""
_STROKE = 0.018  # metres: wider than the suction cup
_TALL = 0.072  # metres, of a letter

Points = Sequence[tuple[float, float]]


def _strokes(*lines: Points) -> shapely.Geometry:
    """Letters: lines through points in units of a letter's height, as wide as a stroke."""
    drawn = [
        shapely.LineString(np.array(line) * (_TALL - _STROKE)).buffer(
            _STROKE / 2, cap_style="square", join_style="mitre", mitre_limit=1.5
        )
        for line in lines
    ]
    return shapely.union_all(drawn, grid_size=1e-6)


def _arc(center: tuple[float, float], radius: float, start: float, end: float) -> Points:
    """Points of an arc, degrees counter-clockwise."""
    angle = np.radians(np.linspace(start, end, 13))
    x, y = center
    return [(x + radius * math.cos(a), y + radius * math.sin(a)) for a in angle]


def _round(*radii: float) -> NDArray[np.float64]:
    """Points (n, 2) at these distances from the origin, evenly turned, from +y on."""
    angle = math.pi / 2 + np.arange(len(radii)) * math.tau / len(radii)
    points: NDArray[np.float64] = np.array(radii)[:, None] * np.c_[np.cos(angle), np.sin(angle)]
    return points


def _flower() -> shapely.Geometry:
    petals = [shapely.buffer(shapely.Point(point), 0.0145) for point in _round(*[0.022] * 6)]
    return shapely.union_all([shapely.Point(0, 0).buffer(0.02), *petals])


def _heart() -> shapely.Geometry:
    """Two discs and the triangle that touches both."""
    radius, shift = 0.0195, 0.0175
    discs = [shapely.Point(x, 0).buffer(radius) for x in (-shift, shift)]
    tip = shapely.Point(0, -0.045)
    left, right = (shapely.convex_hull(shapely.union_all([disc, tip])) for disc in discs)
    return left.union(right)


_OUTLINES: dict[str, tuple[Callable[[], shapely.Geometry], float]] = {
    # what: (its outline, its yaw period in radians; 0 means any turn)
    "letter R": (
        lambda: _strokes(
            [(0, 0), (0, 1), (0.3, 1)], _arc((0.3, 0.74), 0.26, 90, -90), [(0.3, 0.48), (0, 0.48)],
            [(0.2, 0.48), (0.58, 0)],
        ),
        math.tau,
    ),
    "letter A": (
        lambda: _strokes([(0, 0), (0.42, 1), (0.84, 0)], [(0.15, 0.3), (0.69, 0.3)]),
        math.tau,
    ),
    "triangle": (lambda: shapely.Polygon(_round(*[0.042] * 3)), math.tau / 3),
    "square": (lambda: shapely.box(-0.029, -0.029, 0.029, 0.029), math.tau / 4),
    "plus": (lambda: _strokes([(0, 0.5), (1, 0.5)], [(0.5, 0), (0.5, 1)]), math.tau / 4),
    "letter T": (lambda: _strokes([(0, 1), (0.9, 1)], [(0.45, 0), (0.45, 1)]), math.tau),
    "diamond": (
        lambda: shapely.Polygon([(0.026, 0), (0, 0.039), (-0.026, 0), (0, -0.039)]),
        math.tau / 2,
    ),
    "pentagon": (lambda: shapely.Polygon(_round(*[0.036] * 5)), math.tau / 5),
    "rectangle": (lambda: shapely.box(-0.021, -0.036, 0.021, 0.036), math.tau / 2),
    "flower": (_flower, math.tau / 6),
    "star": (lambda: shapely.Polygon(_round(*[0.042, 0.019] * 5)), math.tau / 5),
    "circle": (lambda: shapely.Point(0, 0).buffer(0.028), 0.0),
    "letter G": (
        lambda: _strokes(_arc((0.5, 0.5), 0.5, 68, 350), [(0.98, 0.42), (0.66, 0.42)]), math.tau,
    ),
    "letter V": (lambda: _strokes([(0, 1), (0.4, 0), (0.8, 1)]), math.tau),
    "letter E": (
        lambda: _strokes([(0.7, 0), (0, 0), (0, 1), (0.7, 1)], [(0, 0.5), (0.6, 0.5)]), math.tau,
    ),
    "letter L": (lambda: _strokes([(0, 1), (0, 0), (0.75, 0)]), math.tau),
    "ring": (lambda: shapely.Point(0, 0).buffer(0.036) - shapely.Point(0, 0).buffer(0.016), 0.0),
    "hexagon": (lambda: shapely.Polygon(_round(*[0.035] * 6)), math.tau / 6),
    "heart": (_heart, math.tau),
    "letter M": (lambda: _strokes([(0, 0), (0.02, 1), (0.5, 0.3), (0.98, 1), (1, 0)]), math.tau),
}  # fmt: skip

KIT_SHAPES = tuple(_OUTLINES)
"""The names of the pieces' shapes."""
SPLIT_SHAPES: dict[str, tuple[str, ...]] = {"train": KIT_SHAPES[:14], "test": KIT_SHAPES[14:]}
"""Seen and unseen shapes."""


@cache
def kit_outline(shape: str) -> shapely.Polygon:
    """A piece seen from above, its centroid at the origin, metres."""
    drawn = shapely.simplify(_OUTLINES[shape][0](), 1e-4)
    middle = shapely.get_coordinates(shapely.centroid(drawn))
    centred = shapely.transform(drawn, lambda corners: corners - middle)
    assert isinstance(centred, shapely.Polygon), shape
    return centred


def _prism(
    shape: str, file: str, height: float, foot: tuple[float, float, float] = (0, 0, 0), **how: Any
) -> Part:
    """A piece's outline as a prism; in its file it is 1 m high."""
    outline = kit_outline(shape)
    x0, y0, x1, y1 = outline.bounds
    corners = tuple((x, y) for x, y, *_ in outline.exterior.coords[:-1])
    scale, size = (1.0, 1.0, height), (x1 - x0, y1 - y0, height)
    return Part("mesh", size, foot, mesh=f"kit/{file}", scale=scale, corners=corners, **how)


def kit_file(shape: str) -> str:
    """Name of a shape's mesh."""
    return shape.replace(" ", "_").lower()


@dataclass(frozen=True)
class KitPiece(Asset):
    """A flat piece 2 cm high and about 7 cm across, of one of twenty shapes such as "star" or
    "letter R"; `scene.shapes(n)` draws shapes of the split.
    """

    shape: str = "star"
    nouns = ("piece", *KIT_SHAPES)
    _choices: ClassVar = {"shape": KIT_SHAPES}

    @property
    def called(self) -> tuple[str, ...]:
        return (self.shape, "piece")

    @property
    def variant(self) -> int:
        return KIT_SHAPES.index(self.shape) + 1

    @property
    def symmetry(self) -> float:
        return _OUTLINES[self.shape][1]

    @property
    def grasps(self) -> tuple[tuple[float, float], ...]:
        """The middle of the largest disc in it: the centroid may lie in a hole."""
        x, y = shapely.maximum_inscribed_circle(kit_outline(self.shape)).coords[0]
        return ((x, y),)

    def parts(self) -> tuple[Part, ...]:
        look = kit_file(self.shape)
        return (
            _prism(self.shape, look, PIECE_HEIGHT, solid=False),
            _prism(self.shape, f"{look}_solid", PIECE_HEIGHT, seen=False),
        )


@dataclass(frozen=True)
class KitBoard(Asset):
    """A board, 28 x 20 cm and 1 cm high, with the dark silhouettes of up to five kit pieces:
    three along one long side, two along the other. `place(k)` is where the k-th piece belongs.
    """

    shapes: tuple[str, ...] = ("star", "circle", "triangle", "plus", "letter R")
    nouns = ("kit", "board")
    fixed = True
    shows_heading = True
    fits = True
    SIZE: ClassVar[tuple[float, float, float]] = (0.28, 0.20, 0.01)
    _SPOTS = ((-0.09, 0.0475), (0.0, 0.0475), (0.09, 0.0475), (-0.045, -0.0475), (0.045, -0.0475))

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.shapes, tuple) or not 1 <= len(self.shapes) <= len(self._SPOTS):
            raise TaskError(f"KitBoard's shapes are {self.shapes!r:.60}", "Give one to five names")
        for shape in self.shapes:
            check_choice("KitBoard", "shape", shape, KIT_SHAPES)

    def place(self, index: int) -> Pose:
        """Where a piece belongs, in the board's frame."""
        if index not in range(len(self.shapes)):
            raise TaskError(f"there is no place {index!r:.60}", f"It has {len(self.shapes)}")
        return Pose(*self._SPOTS[index], self.SIZE[2])

    @property
    def slots(self) -> tuple[Slot, ...]:
        """Its silhouettes, with the variants of the pieces that fit."""
        return tuple(
            Slot(self.place(k), KIT_SHAPES.index(shape) + 1) for k, shape in enumerate(self.shapes)
        )

    def shows(self, pose: Pose, asset: Asset) -> bool:
        return any(
            pose.distance(self.place(k)) < 1e-6 and getattr(asset, "shape", "") == shape
            for k, shape in enumerate(self.shapes)
        )

    mass = 0.4

    def parts(self) -> tuple[Part, ...]:
        places = [self.place(k) for k in range(len(self.shapes))]
        silhouettes = (
            _prism(
                shape, kit_file(shape), PAINT / 2, (p.x, p.y, p.z), paint=MARK_COLOR, solid=False
            )
            for shape, p in zip(self.shapes, places, strict=True)
        )
        return (slab(*self.SIZE), *silhouettes)
