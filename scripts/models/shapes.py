"""Solids with few triangles, and the convex hulls that they collide as.

Every shape stands on z = 0 over the origin, except `ball`, which is centred on it. Lengths are in
metres, angles in degrees.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import shapely
import trimesh
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

Array = NDArray[np.float64]
Color = tuple[int, int, int]
Chunks = int | Sequence[int]

WHITE, CREAM, STEEL, DARK = (244, 242, 236), (240, 222, 178), (172, 177, 184), (52, 52, 58)
WOOD, GOLD, LEAF, RED = (178, 128, 78), (224, 178, 60), (70, 142, 62), (200, 48, 44)
"""Paints of parts that keep their colour whatever the object's."""


@dataclass(frozen=True)
class Piece:
    """A closed mesh of one paint.

    Attributes:
        mesh: what is seen.
        hulls: points (n, 3) of each convex hull that it collides as; none for decoration.
        paint: sRGB bytes; None is the object's own colour.
        within: whether the other pieces surround it, so that it adds nothing to the outline.
    """

    mesh: trimesh.Trimesh
    hulls: tuple[Array, ...]
    paint: Color | None = None
    within: bool = False

    def _mapped(self, points_to: Any) -> Piece:
        mesh = trimesh.Trimesh(points_to(self.mesh.vertices), self.mesh.faces, process=False)
        return replace(self, mesh=mesh, hulls=tuple(map(points_to, self.hulls)))

    def at(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Piece:
        """Moved by this much."""
        return self._mapped(lambda points: points + (x, y, z))

    def turned(self, roll: float = 0.0, pitch: float = 0.0, yaw: float = 0.0) -> Piece:
        """Turned about the origin: about the fixed x, then y, then z axis."""
        turn = Rotation.from_euler("xyz", [roll, pitch, yaw], degrees=True).as_matrix()
        return self._mapped(lambda points: points @ turn.T)

    def scaled(self, x: float = 1.0, y: float = 1.0, z: float = 1.0) -> Piece:
        """Stretched from the origin; a negative factor mirrors."""
        piece = self._mapped(lambda points: points * (x, y, z))
        if x * y * z < 0:
            piece.mesh.invert()
        return piece

    def flat_below(self, z: float) -> Piece:
        """What reaches below this height is pressed flat there."""
        return self._mapped(lambda points: np.maximum(points, (-np.inf, -np.inf, z)))

    def painted(self, paint: Color | None) -> Piece:
        """In this paint."""
        return replace(self, paint=paint)

    def colliding_as(self, *others: Piece) -> Piece:
        """With the hulls of these instead of its own; without any it is decoration."""
        return replace(self, hulls=tuple(points for other in others for points in other.hulls))

    def decoration(self) -> Piece:
        """Nothing collides with it."""
        return self.colliding_as()

    def lining(self) -> Piece:
        """Decoration that the other pieces surround."""
        return replace(self.decoration(), within=True)


def _piece(vertices: ArrayLike, faces: ArrayLike, hulls: Sequence[Array] | None = None) -> Piece:
    mesh = trimesh.Trimesh(np.asarray(vertices), np.asarray(faces))
    mesh.update_faces(mesh.nondegenerate_faces())
    mesh.remove_unreferenced_vertices()
    if mesh.volume < 0:
        mesh.invert()
    return Piece(mesh, (np.array(mesh.vertices),) if hulls is None else tuple(hulls))


def hull(points: ArrayLike) -> Piece:
    """The convex hull of points (n, 3)."""
    mesh = trimesh.convex.convex_hull(np.asarray(points, dtype=float))
    return _piece(mesh.vertices, mesh.faces)


def skin(rings: ArrayLike, chunks: Chunks = 1, closed: bool = False) -> Piece:
    """A solid through cross-sections.

    Args:
        rings: (n, k, 3) corners of each; a ring may shrink to a point.
        chunks: how many hulls share the length, or the numbers of the rings at which it is cut.
        closed: the last is joined to the first; otherwise both ends are filled.
    """
    rings = np.asarray(rings, dtype=float)
    if closed:
        rings = np.concatenate([rings, rings[:1]])
    n, k = rings.shape[:2]
    index = np.arange(n * k).reshape(n, k)
    faces = []
    for a, b in pairwise(index):
        a_next, b_next = np.roll(a, -1), np.roll(b, -1)
        faces += [np.c_[a, a_next, b_next], np.c_[a, b_next, b]]
    vertices = rings.reshape(-1, 3)
    if not closed:
        for ring, turn in ((index[0], 1), (index[-1], -1)):
            middle = np.full(k, len(vertices))
            vertices = np.vstack([vertices, vertices[ring].mean(axis=0)])
            faces.append(np.c_[middle, np.roll(ring, -1), ring][:, ::turn])
    if isinstance(chunks, int):
        cuts = np.linspace(0, n - 1, chunks + 1).round().astype(int).tolist()
    else:
        cuts = [0, *chunks, n - 1]
    hulls = [rings[a : b + 1].reshape(-1, 3) for a, b in pairwise(cuts)]
    return _piece(vertices, np.concatenate(faces), hulls)


def circle(diameter: float, sides: int = 20, z: float = 0.0) -> Array:
    """Corners (sides, 3) of a circle at height z."""
    angle = np.arange(sides) * (math.tau / sides)
    r = diameter / 2
    return np.c_[r * np.cos(angle), r * np.sin(angle), np.full(sides, z)]


def lathe(profile: Sequence[tuple[float, float]], sides: int = 20, chunks: Chunks = 1) -> Piece:
    """A solid of revolution through (radius, z) pairs, from the bottom up."""
    return skin([circle(2 * r, sides, z) for r, z in profile], chunks)


def ring(profile: Sequence[tuple[float, float]], sides: int = 24, chunks: int = 8) -> Piece:
    """A closed profile of (radius, z) pairs, clear of the axis, turned about it."""
    profile = np.asarray(profile, dtype=float)
    angle = np.arange(sides) * (math.tau / sides)
    rings = [np.c_[profile[:, :1] * (math.cos(a), math.sin(a)), profile[:, 1]] for a in angle]
    return skin(rings, chunks, closed=True)


def cylinder(diameter: float, height: float, top: float | None = None, sides: int = 20) -> Piece:
    """A cylinder, or a cone frustum with its own diameter at the `top`."""
    return skin([circle(diameter, sides), circle(diameter if top is None else top, sides, height)])


def ball(x: float, y: float = 0.0, z: float = 0.0, sides: int = 16, rings: int = 8) -> Piece:
    """An ellipsoid with these diameters (y and z as x if not said), centred on the origin."""
    turn = np.linspace(-math.pi / 2, math.pi / 2, rings + 1)
    profile = [(max(0.0, math.cos(a) / 2) if abs(a) < 1.57 else 0.0, math.sin(a) / 2) for a in turn]
    return lathe(profile, sides).scaled(x, y or x, z or x)


def dome(x: float, y: float = 0.0, z: float = 0.0, sides: int = 16, rings: int = 4) -> Piece:
    """The upper half of an ellipsoid, z high (half of x if not said)."""
    turn = np.linspace(0, math.pi / 2, rings + 1)
    profile = [(max(0.0, math.cos(a) / 2) if a < 1.57 else 0.0, math.sin(a)) for a in turn]
    return lathe(profile, sides).scaled(x, y or x, z or x / 2)


def box(x: float, y: float, z: float, top: tuple[float, float] | None = None) -> Piece:
    """A box, or with its own sides at the `top`."""
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) / 2
    upper = (x, y) if top is None else top
    return skin([np.c_[corners * (x, y), np.zeros(4)], np.c_[corners * upper, np.full(4, z)]])


def rounded_box(x: float, y: float, z: float, radius: float, steps: int = 2) -> Piece:
    """A box with round edges and corners; one step is a bevel."""
    share = np.array(
        [(i, j, steps - i - j) for i in range(steps + 1) for j in range(steps + 1 - i)], dtype=float
    )
    octant = radius * share / np.linalg.norm(share, axis=1, keepdims=True)
    inner = np.array([x, y, z]) / 2 - radius
    signs = np.array([(i, j, k) for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)])
    return hull(np.concatenate([(inner + octant) * sign for sign in signs])).at(z=z / 2)


def prism(outline: ArrayLike, height: float, bevel: float = 0.0) -> Piece:
    """A polygon (n, 2) pulled up, its upper edge bevelled; a hull for each convex part of it.

    A bevel is for star-shaped outlines about their middle.
    """
    outline = np.asarray(outline, dtype=float)
    polygon = shapely.Polygon(outline)
    parts = convex_parts(polygon)
    hulls = [np.array([(*xy, z) for z in (0, height) for xy in part]) for part in parts]
    if bevel:
        middle = shapely.get_coordinates(polygon.centroid)[0]
        reach = np.linalg.norm(outline - middle, axis=1, keepdims=True)
        inner = outline + (middle - outline) * np.minimum(bevel / reach, 0.9)
        levels = [(outline, 0.0), (outline, height - bevel), (inner, height)]
        rings = [np.c_[xy, np.full(len(xy), z)] for xy, z in levels]
        return replace(skin(rings), hulls=tuple(hulls))
    triangles = shapely.constrained_delaunay_triangles(polygon).geoms
    caps = [np.c_[shapely.get_coordinates(each)[:3], np.zeros(3)] for each in triangles]
    walls = [
        (
            np.array([(*a, 0), (*b, 0), (*b, height)]),
            np.array([(*a, 0), (*b, height), (*a, height)]),
        )
        for a, b in zip(outline, np.roll(outline, -1, axis=0), strict=True)
    ]
    corners = [_counter_clockwise(cap)[::-1] for cap in caps]
    corners += [_counter_clockwise(cap) + (0, 0, height) for cap in caps]
    turn = 1 if polygon.exterior.is_ccw else -1
    corners += [wall[::turn] for pair in walls for wall in pair]
    return _piece(np.concatenate(corners), np.arange(3 * len(corners)).reshape(-1, 3), hulls)


def _counter_clockwise(triangle: Array) -> Array:
    (a, b), (c, d) = triangle[1, :2] - triangle[0, :2], triangle[2, :2] - triangle[0, :2]
    return triangle if a * d > b * c else triangle[::-1]


def convex_parts(polygon: shapely.Polygon, slack: float = 0.03) -> list[Array]:
    """Cuts a polygon into nearly convex parts, corners (n, 2) of each.

    Triangles are joined as long as the hull of what is joined is at most `slack` of its area larger
    than it.
    """
    triangles = shapely.constrained_delaunay_triangles(polygon).geoms
    parts = sorted(triangles, key=lambda part: (-round(part.area, 12), *part.bounds))
    joined = True
    while joined:
        joined = False
        for i, j in combinations(range(len(parts)), 2):
            both = shapely.union_all([parts[i], parts[j]], grid_size=1e-7)
            if both.geom_type == "Polygon" and both.area > (1 - slack) * both.convex_hull.area:
                parts = [both, *(part for k, part in enumerate(parts) if k not in (i, j))]
                joined = True
                break
    return [shapely.get_coordinates(part.convex_hull)[:-1] for part in parts]


def sweep(
    path: ArrayLike,
    diameters: float | Sequence[float],
    sides: int = 8,
    chunks: Chunks = 1,
    flatness: float = 1.0,
    closed: bool = False,
) -> Piece:
    """A rod along a path (n, 3).

    Args:
        path: its middle line, in the plane of x and y or of x and z.
        diameters: one, or one for each point of the path.
        sides: of its cross-section.
        chunks: how many hulls share the length, or the points at which it is cut.
        flatness: thickness across the path's plane over the width within it.
        closed: the path's end is joined to its start.
    """
    path = np.asarray(path, dtype=float)
    if closed:
        ahead, behind = np.roll(path, -1, axis=0), np.roll(path, 1, axis=0)
        tangents = ahead - behind
    else:
        tangents = np.gradient(path, axis=0)
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
    # Paths lie in the plane of x and y or in that of x and z.
    lies = np.ptp(path[:, 2]) <= np.ptp(path[:, 1])
    across = np.array([0.0, 0.0, 1.0] if lies else [0.0, 1.0, 0.0])
    rings = []
    widths = np.broadcast_to(np.asarray(diameters, dtype=float), len(path))
    for middle, tangent, width in zip(path, tangents, widths, strict=True):
        side = np.cross(tangent, across)
        section = circle(width, sides)
        rings.append(middle + section[:, :1] * side + flatness * section[:, 1:2] * across)
    return skin(rings, chunks, closed)


def arc(
    radius: float, start: float, end: float, count: int, middle: tuple[float, float] = (0.0, 0.0)
) -> Array:
    """Points (count, 2) along an arc, from one angle to the other."""
    angle = np.radians(np.linspace(start, end, count))
    return radius * np.c_[np.cos(angle), np.sin(angle)] + middle


def upright(points: Array) -> Array:
    """Points (n, 2) put into the plane of x and z, (n, 3)."""
    return np.c_[points[:, 0], np.zeros(len(points)), points[:, 1]]


def flat(points: Array, z: float = 0.0) -> Array:
    """Points (n, 2) put at a height, (n, 3)."""
    return np.c_[points, np.full(len(points), z)]
