"""Prisms: the twenty kit pieces and the roof, from outlines to Wavefront files."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from gensim_envs.task.assets.holders import Fixture
from gensim_envs.task.assets.kit import KIT_SHAPES, PIECE_HEIGHT, kit_file, kit_outline
from gensim_envs.task.assets.solids import ell_outline

Array = NDArray[np.float64]

MARGIN = 0.001
"""Metres that pybullet adds round a convex hull."""
SMOOTH = math.cos(math.radians(30))
"""Cosine of the largest angle between two sides that are shaded as one round one."""


def write(path: Path, lines: list[str]) -> None:
    """Write a Wavefront file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


_SPECK = 0.00625  # metres: two pixels of the view from above


def look(outline: shapely.Polygon) -> list[str]:
    """The top and the sides of a prism 1 m high, with normals; nobody sees its underside.

    Holes of less than two pixels across are closed: agents would see a speck.
    """
    holes = [
        ring
        for ring in outline.interiors
        if shapely.maximum_inscribed_circle(shapely.Polygon(ring)).length * 2 > _SPECK
    ]
    outline = shapely.Polygon(outline.exterior, holes)
    vertices: list[tuple[float, float, float]] = []
    normals: list[tuple[float, float, float]] = []
    faces: list[tuple[int, int, int]] = []
    for triangle in shapely.constrained_delaunay_triangles(outline).geoms:
        first = len(vertices)
        corners = shapely.orient_polygons(triangle).exterior.coords[:3]
        vertices += [(x, y, 1.0) for x, y in corners]
        normals += [(0.0, 0.0, 1.0)] * 3
        faces.append((first, first + 1, first + 2))
    oriented = shapely.orient_polygons(outline)
    for loop in (oriented.exterior, *oriented.interiors):
        corners = np.array(loop.coords[:-1])
        along = np.roll(corners, -1, axis=0) - corners
        out = np.c_[along[:, 1], -along[:, 0]] / np.linalg.norm(along, axis=1, keepdims=True)
        for k, (a, b) in enumerate(zip(corners, np.roll(corners, -1, axis=0), strict=True)):
            first = len(vertices)
            before, after = out[k - 1], out[(k + 1) % len(out)]
            for (x, y), other in ((a, before), (b, after)):
                smooth = out[k] + other if out[k] @ other > SMOOTH else out[k]
                nx, ny = smooth / np.linalg.norm(smooth)
                vertices += [(x, y, 0.0), (x, y, 1.0)]
                normals += [(nx, ny, 0.0)] * 2
            faces += [(first, first + 2, first + 1), (first + 1, first + 2, first + 3)]
    return [
        *(f"v {x:.5f} {y:.5f} {z:.0f}" for x, y, z in vertices),
        *(f"vn {x:.4f} {y:.4f} {z:.0f}" for x, y, z in normals),
        *("f " + " ".join(f"{k + 1}//{k + 1}" for k in face) for face in faces),
    ]


def convex_pieces(outline: shapely.Polygon) -> list[shapely.Polygon]:
    """Few convex polygons that cover an outline: triangles, merged while they stay convex."""
    pieces = list(shapely.constrained_delaunay_triangles(outline).geoms)
    merged = True
    while merged:
        merged = False
        for i, a in enumerate(pieces):
            for j in range(i):
                both = shapely.union(a, pieces[j], grid_size=1e-7)
                # A sliver of a hundredth of the area is let in: round shapes then need few pieces.
                if shapely.convex_hull(both).area < 1.01 * both.area:
                    pieces = [q for k, q in enumerate(pieces) if k not in (i, j)]
                    pieces.append(shapely.convex_hull(both))
                    merged = True
                    break
            if merged:
                break
    return pieces


def hulls(outline: shapely.Polygon, height: float) -> list[str]:
    """Convex prisms of one metre that, scaled to `height` metres, fill what `look` shows."""
    lines: list[str] = []
    count, gap = 0, MARGIN / height
    inner = shapely.simplify(outline, 2e-4).buffer(-MARGIN, join_style="mitre")
    for number, piece in enumerate(convex_pieces(inner)):
        corners = np.array(piece.exterior.coords[:-1])
        lines.append(f"o {number}")
        lines += [f"v {x:.5f} {y:.5f} {z:.4f}" for z in (gap, 1 - gap) for x, y in corners]
        n = len(corners)
        rings = [[count + k + 1 for k in range(n)], [count + n + k + 1 for k in range(n)]]
        for ring in rings:
            lines += [f"f {ring[0]} {ring[k]} {ring[k + 1]}" for k in range(1, n - 1)]
        count += 2 * n
    return lines


def roof(ridge: float, foot: float) -> list[str]:
    """A gable roof, 1 x 1 x 1 m, from z = `foot` on; serves to see and to collide.

    Args:
        ridge: width of the flat ridge; a ridge as wide as the roof makes a box.
        foot: z of the underside.
    """
    corners = [(x, y, foot) for x in (-0.5, 0.5) for y in (-0.5, 0.5)]
    corners += [(x, y, foot + 1) for x in (-0.5, 0.5) for y in (-ridge / 2, ridge / 2)]
    quads = [(4, 6, 7, 5), (0, 2, 6, 4), (1, 5, 7, 3), (0, 4, 5, 1), (2, 3, 7, 6), (0, 1, 3, 2)]
    return _flat_shaded(np.array(corners), quads)


def fixture() -> list[str]:
    """The walls of a fixture, bevelled where they would part at its corners; only to be seen."""
    ell = ell_outline()
    along = np.roll(ell, -1, axis=0) - ell
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    outwards = np.c_[along[:, 1], -along[:, 0]]
    corners, moves = [], []
    for k, corner in enumerate(ell):
        (ax, ay), (bx, by) = along[k - 1], along[k]
        ends = [outwards[k - 1], outwards[k]]
        ends = ends if ax * by > ay * bx else [ends[0] + ends[1]]  # two at a convex corner
        corners += [corner] * len(ends)
        moves += ends
    rise = math.tan(Fixture.LEAN) * Fixture.HEIGHT
    thick = Fixture.THICKNESS / math.cos(Fixture.LEAN)
    rings = [
        np.c_[np.array(corners) + np.array(moves) * (Fixture.GAP + out), np.full(len(corners), z)]
        for out, z in (
            (thick, 0.0),
            (rise + thick / 2, Fixture.HEIGHT),
            (rise, Fixture.HEIGHT),
            (0, 0),
        )
    ]
    n = len(corners)
    quads = [
        (ring * n + k, ring * n + (k + 1) % n, above * n + (k + 1) % n, above * n + k)
        for ring, above in ((0, 1), (1, 2), (2, 3), (3, 0))
        for k in range(n)
    ]
    return _flat_shaded(np.concatenate(rings), quads)


def _flat_shaded(points: np.ndarray, quads: list[tuple[int, int, int, int]]) -> list[str]:
    """Quadrangles, each with the normal of its plane."""
    lines, faces = [], []
    for number, quad in enumerate(quads):
        a, b, c = points[list(quad[:3])]
        normal = np.cross(b - a, c - a)
        normal /= np.linalg.norm(normal)
        lines += [f"v {x} {y} {z}" for x, y, z in points[list(quad)]]
        lines += ["vn {:.4f} {:.4f} {:.4f}".format(*normal)] * 4
        k = 4 * number + 1
        faces += [f"f {k}//{k} {k + 1}//{k + 1} {k + 2}//{k + 2}"]
        faces += [f"f {k}//{k} {k + 2}//{k + 2} {k + 3}//{k + 3}"]
    return lines + faces


def lathe(profile: list[tuple[float, float]], facets: int = 24) -> list[str]:
    """(radius, z) pairs from the bottom axis to the top one, turned about z; flat bands keep edges.

    A sphere's bands are shaded as one, since they meet at small angles.
    """
    lines, faces, count = [], [], 0
    angle = np.arange(facets + 1) * (math.tau / facets)
    slopes = [np.array([b[1] - a[1], a[0] - b[0]]) for a, b in pairwise(profile)]
    slopes = [slope / np.linalg.norm(slope) for slope in slopes]
    for k, ((r0, z0), (r1, z1)) in enumerate(pairwise(profile)):
        ends = []
        for other in (k - 1, k + 1):
            near = slopes[other] if 0 <= other < len(slopes) else slopes[k]
            both = slopes[k] + near if slopes[k] @ near > SMOOTH else slopes[k]
            ends.append(both / np.linalg.norm(both))
        for a in angle:
            c, s = math.cos(a), math.sin(a)
            for (r, z), (out, up) in zip(((r0, z0), (r1, z1)), ends, strict=True):
                lines.append(f"v {r * c:.5f} {r * s:.5f} {z:.5f}")
                lines.append(f"vn {out * c:.4f} {out * s:.4f} {up:.4f}")
        for first in range(count + 1, count + 2 * facets, 2):
            corners = [f"{n}//{n}" for n in range(first, first + 4)]
            faces += ["f {0} {2} {1}".format(*corners)] if r0 > 0 else []
            faces += ["f {1} {2} {3}".format(*corners)] if r1 > 0 else []
        count += 2 * (facets + 1)
    return lines + faces


def build(folder: Path) -> None:
    """Write every prism below `folder`."""
    for shape in KIT_SHAPES:
        outline = kit_outline(shape)
        write(folder / "kit" / f"{kit_file(shape)}.obj", look(outline))
        write(folder / "kit" / f"{kit_file(shape)}_solid.obj", hulls(outline, PIECE_HEIGHT))
    write(folder / "roof.obj", roof(ridge=0.25, foot=0.0))
    write(folder / "fixture.obj", fixture())
    write(folder / "box.obj", roof(ridge=1.0, foot=-0.5))
    write(folder / "cylinder.obj", lathe([(0, -0.5), (0.5, -0.5), (0.5, 0.5), (0, 0.5)]))
    turn = np.linspace(-math.pi / 2, math.pi / 2, 11)
    bands = [(max(0.0, 0.5 * math.cos(a)), 0.5 * math.sin(a)) for a in turn]
    write(folder / "sphere.obj", lathe(bands))
