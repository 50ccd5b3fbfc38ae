"""Build the files of an object: visual meshes, collision hulls and its catalogue entry."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
import trimesh
from scipy.spatial import ConvexHull, HalfspaceIntersection

from scripts.models import food, groceries, home, kitchen, prisms, tools, toys
from scripts.models.registry import THINGS, Thing
from scripts.models.shapes import Array, Color, Piece

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "gensim_envs" / "sim" / "models"
CATALOGUE = ROOT / "gensim_envs" / "task" / "objects.json"

MARGIN = 0.001
"""Metres by which a convex hull is larger in pybullet than its points."""
_CREASE = math.cos(math.radians(42))
"""Edges between faces that meet at a larger angle stay sharp."""
_CORNERS, _SLACK = 24, 0.001
_CUP, _LEVEL = 0.006, 0.0035
"""Metres: radius of the suction cup, and tolerance of a level spot under its rim."""
_MODULES = (food, groceries, home, kitchen, tools, toys)
"""Modules that register their objects in `THINGS` on import."""


@dataclass(frozen=True)
class Built:
    """The text of each file of an object, and its catalogue entry."""

    files: dict[str, str]
    row: dict[str, Any]


def build(thing: Thing) -> Built:
    """Model one object.

    Raises:
        ValueError: it cannot be written: a hull too thin, an outline too intricate.
    """
    pieces = _centred(thing.model())
    paints: dict[Color | None, list[Piece]] = {None: []}
    for piece in pieces:
        paints.setdefault(piece.paint, []).append(piece)
    hulls = [_shrunk(points, thing.kind) for piece in pieces for points in piece.hulls]
    files = {f"{k}.obj": _visual(group) for k, group in enumerate(paints.values())}
    files["collision.obj"] = _collision(hulls)
    corners = np.concatenate([piece.mesh.vertices for piece in pieces])
    row = {
        "noun": thing.noun,
        "split": thing.split,
        "color": thing.color,
        "paints": [None if paint is None else list(paint) for paint in paints],
        "outline": _outline([piece for piece in pieces if not piece.within], thing.kind)
        .round(4)
        .tolist(),
        "size": np.ptp(corners, axis=0).round(4).tolist(),
        "grasps": _grasps(hulls, thing.kind).tolist(),
        "symmetry": round(thing.symmetry, 6),
        "mass": thing.mass,
    }
    return Built(files, row)


def _centred(pieces: Sequence[Piece]) -> list[Piece]:
    """Moved so that the middle of the bounding box's underside is the origin."""
    corners = np.concatenate([piece.mesh.vertices for piece in pieces])
    low, high = corners.min(axis=0), corners.max(axis=0)
    x, y = (low + high)[:2] / 2
    return [piece.at(-x, -y, -low[2]) for piece in pieces]


# ------------------------------------------------------------------------------------ the files


def _visual(pieces: Iterable[Piece]) -> str:
    """A Wavefront file with a normal for each corner."""
    points, normals = zip(*(_corners(piece.mesh) for piece in pieces), strict=True)
    vertices, v = np.unique(np.concatenate(points).round(5) + 0.0, axis=0, return_inverse=True)
    vectors, n = np.unique(np.concatenate(normals).round(2) + 0.0, axis=0, return_inverse=True)
    lines = ["v {:.5f} {:.5f} {:.5f}".format(*vertex) for vertex in vertices]
    lines += ["vn {:.2f} {:.2f} {:.2f}".format(*vector) for vector in vectors]
    corners = np.stack([v.reshape(-1, 3), n.reshape(-1, 3)], axis=-1) + 1
    # From its lowest vertex on, and in order, however they were made.
    faces = [np.roll(face, -int(face[:, 0].argmin()), axis=0) for face in corners]
    for face in sorted(face.tolist() for face in faces if len(set(face[:, 0])) == 3):
        lines.append("f " + " ".join(f"{i}//{j}" for i, j in face))
    return "\n".join(lines) + "\n"


def _corners(mesh: trimesh.Trimesh) -> tuple[Array, Array]:
    """Positions and unit normals (3 * triangles, 3) of a mesh's corners, smooth but at edges."""
    around: list[list[int]] = [[] for _ in mesh.vertices]
    for face, corners in enumerate(mesh.faces):
        for corner in corners:
            around[corner].append(face)
    flat, area = mesh.face_normals, mesh.area_faces
    normals = []
    for face, corners in enumerate(mesh.faces):
        for corner in corners:
            near = [other for other in around[corner] if flat[other] @ flat[face] > _CREASE]
            total = (flat[near] * area[near, None]).sum(axis=0)
            normals.append(total / np.linalg.norm(total))
    return mesh.vertices[mesh.faces.ravel()], np.array(normals)


def _shrunk(points: Array, kind: str) -> trimesh.Trimesh:
    """The convex hull of points (n, 3) without its outer millimetre, on a grid of 0.1 mm."""
    whole = trimesh.convex.convex_hull(points)
    planes = ConvexHull(points).equations.copy()
    planes[:, 3] += MARGIN
    inside = whole.center_mass
    if (planes[:, :3] @ inside + planes[:, 3]).max() > -1e-4:
        raise ValueError(f"{kind} has a hull of {whole.extents} m that is too thin to collide")
    corners = HalfspaceIntersection(planes, inside).intersections
    return trimesh.convex.convex_hull(np.unique(corners.round(4) + 0.0, axis=0))


def _collision(hulls: Iterable[trimesh.Trimesh]) -> str:
    """A Wavefront file with a group for each hull."""
    lines, first = [], 1
    for number, mesh in enumerate(hulls):
        order = np.lexsort(mesh.vertices.T[::-1])
        rank = np.argsort(order)
        faces = [np.roll(face, -np.argmin(face)) for face in rank[mesh.faces] + first]
        lines.append(f"o {number}")
        lines += ["v {:.4f} {:.4f} {:.4f}".format(*vertex) for vertex in mesh.vertices[order] + 0.0]
        lines += ["f {} {} {}".format(*face) for face in sorted(map(tuple, faces))]
        first += len(order)
    return "\n".join(lines) + "\n"


# -------------------------------------------------------------------------------- the catalogue


def _outline(pieces: Iterable[Piece], kind: str) -> Array:
    """The object's outline from above, as few corners (n, 2), anticlockwise."""
    triangles = np.concatenate([piece.mesh.triangles[:, :, :2] for piece in pieces])
    shadow = shapely.union_all(shapely.buffer(shapely.polygons(triangles), 0), grid_size=1e-6)
    # The closest shape that has few corners: narrow gaps closed, wide ones too, or the hull.
    shapes = [shadow.buffer(gap, quad_segs=4).buffer(-gap, quad_segs=4) for gap in (0.003, 0.008)]
    for shape in (*shapes, shadow.convex_hull):
        for grow in (0.0, 0.0004, 0.0008, 0.0012, 0.0016):
            simple = shape.buffer(grow, join_style="mitre").simplify(0.0004 + grow)
            few = (
                isinstance(simple, shapely.Polygon) and len(simple.exterior.coords) <= _CORNERS + 1
            )
            if few and simple.buffer(_SLACK).contains(shadow):
                ring = shapely.LinearRing(simple.exterior)
                return shapely.get_coordinates(ring if ring.is_ccw else ring.reverse())[:-1]
    raise ValueError(f"the outline of {kind} needs more than {_CORNERS} corners")


def _heights(hulls: Iterable[trimesh.Trimesh], xy: Array) -> Array:
    """Heights (n,) of the first hits of rays straight down at points (n, 2); -1 for no hit."""
    best = np.full(len(xy), -1.0)
    for mesh in hulls:
        planes = ConvexHull(mesh.vertices).equations
        # normal . (x, y, z) <= bound
        normal, bound = planes[:, :3], MARGIN - planes[:, 3]
        room = bound - xy @ normal[:, :2].T
        up, down = normal[:, 2] > 1e-6, normal[:, 2] < -1e-6
        top = (room[:, up] / normal[up, 2]).min(axis=1)
        bottom = (room[:, down] / normal[down, 2]).max(axis=1)
        hit = (top >= bottom) & (room[:, ~(up | down)] >= 0).all(axis=1)
        best = np.where(hit, np.maximum(best, top), best)
    return best


def _grasps(hulls: Sequence[trimesh.Trimesh], kind: str) -> Array:
    """One to three points (n, 2) where a suction cup finds a level spot, best first.

    A spot is better the nearer it is to the middle and the less the height changes under the cup's
    rim; where the object is narrower than the cup, part of the rim finds nothing.
    """
    corners = np.concatenate([mesh.vertices for mesh in hulls])
    low, high = (
        np.ceil(corners[:, :2].min(axis=0) * 1000),
        np.floor(corners[:, :2].max(axis=0) * 1000),
    )
    grid = np.stack(np.meshgrid(*map(np.arange, low, high + 1), indexing="ij"), axis=-1)
    spots = grid.reshape(-1, 2) / 1000
    middle = _heights(hulls, spots)
    turn = np.arange(8) * (math.tau / 8)

    def around(radius: float) -> Array:
        offsets = radius * np.c_[np.cos(turn), np.sin(turn)]
        return np.stack([_heights(hulls, spots + offset) for offset in offsets])

    rim = around(_CUP)
    missed = rim < middle - _LEVEL
    drop = np.where(missed, 0.0, np.abs(rim - middle)).max(axis=0)
    score = np.linalg.norm(spots, axis=1) + 8 * drop + 0.01 * missed.sum(axis=0)
    # What stands higher beside the spot would be touched first.
    blocked = (around(1.4 * _CUP) > middle + 0.002).any(axis=0) | (rim > middle + 0.0015).any(
        axis=0
    )
    score[blocked | ~(middle > 0)] = np.inf
    if not np.isfinite(score).any():
        raise ValueError(f"{kind} has no spot for a suction cup")
    chosen: list[Array] = []
    for index in np.lexsort((*spots.T, score.round(5))):
        apart = all(np.linalg.norm(spots[index] - other) > 0.015 for other in chosen)
        if apart and len(chosen) < 3 and score[index] < score.min() + 0.03:
            chosen.append(spots[index])
    return np.array(chosen) + 0.0


# --------------------------------------------------------------------------------- writing them


def main() -> None:
    """Build all objects."""
    objects = {kind: build(THINGS[kind]) for kind in sorted(THINGS)}
    shutil.rmtree(MODELS, ignore_errors=True)
    for kind, built in objects.items():
        (MODELS / kind).mkdir(parents=True)
        for name, text in built.files.items():
            (MODELS / kind / name).write_text(text, encoding="utf-8")
    prisms.build(MODELS)
    rows = {kind: built.row for kind, built in objects.items()}
    CATALOGUE.write_text(_catalogue(rows), encoding="utf-8")
    total = sum(len(text) for built in objects.values() for text in built.files.values())
    print(f"wrote {len(rows)} objects, {total / 1e6:.2f} MB")


def _catalogue(rows: dict[str, dict[str, Any]]) -> str:
    """JSON with a line for each field."""
    blocks = []
    for kind, row in rows.items():
        fields = ",\n".join(f"    {json.dumps(key)}: {json.dumps(row[key])}" for key in row)
        blocks.append(f"  {json.dumps(kind)}: {{\n{fields}\n  }}")
    return "{\n" + ",\n".join(blocks) + "\n}\n"
