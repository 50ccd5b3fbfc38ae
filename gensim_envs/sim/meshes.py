"""Meshes and visual shapes, which both renderers draw alike."""

from __future__ import annotations

import hashlib
import itertools
import math
import os
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pybullet as p
from numpy.typing import NDArray

from gensim_envs.sim.client import Client
from gensim_envs.task.geometry import Array
from gensim_envs.utils import scratch

Profile = tuple[tuple[float, float], ...]
"""(radius, z) of the outline of a solid of revolution, from the bottom to the top, in metres."""


@dataclass(frozen=True, eq=False)
class Mesh:
    """A surface of triangles.

    Attributes:
        vertices: (n, 3), metres.
        normals: (n, 3), of unit length, outward.
        corners: (3 k,) indices of vertices, anticlockwise as seen from outside.
    """

    vertices: Array
    normals: Array
    corners: NDArray[np.int64]

    def moved(self, rotation: Array, translation: Sequence[float]) -> Mesh:
        """The mesh, rotated by a (3, 3) matrix and then shifted."""
        vertices = self.vertices @ rotation.T + translation
        return Mesh(vertices, self.normals @ rotation.T, self.corners)


def join(meshes: Iterable[Mesh]) -> Mesh:
    """One mesh of several."""
    parts = list(meshes)
    first = np.cumsum([0, *(len(part.vertices) for part in parts)])
    return Mesh(
        np.concatenate([part.vertices for part in parts]),
        np.concatenate([part.normals for part in parts]),
        np.concatenate([part.corners + k for part, k in zip(parts, first, strict=False)]),
    )


@lru_cache(maxsize=64)
def lathe(profile: Profile, facets: int = 24) -> Mesh:
    """A solid of revolution about z: smooth around the axis, flat-shaded along the profile."""
    angles = (np.arange(facets + 1) * (math.tau / facets)).tolist()
    ring = np.array([(math.cos(a), math.sin(a), 1.0) for a in angles])[:, None]
    corners = (2 * np.arange(facets)[:, None] + (0, 2, 1, 1, 2, 3)).ravel()
    bands = []
    for (r0, z0), (r1, z1) in itertools.pairwise(profile):
        slope = np.array([z1 - z0, -(r1 - r0)])
        length = float(np.hypot(*slope))
        if length == 0:
            continue
        out, up = slope / length
        vertices = (ring * [(r0, r0, z0), (r1, r1, z1)]).reshape(-1, 3)
        normals = (ring * ([(out, out, up)] * 2)).reshape(-1, 3)
        bands.append(Mesh(vertices, normals, corners))
    return join(bands)


def create_visual(client: Client, mesh: Mesh, **look: Any) -> int:
    """A visual shape of a mesh; `look` holds further arguments of pybullet's createVisualShape.

    It goes through a file, since pybullet never frees vertices that it is given and EGL does not
    draw them. Where no file can be written, memory grows by some 80 kB a shape.
    """
    try:
        shape: dict[str, Any] = {"fileName": _wavefront(mesh)}
    except OSError:
        if client.egl:
            raise
        shape = {
            "vertices": mesh.vertices.tolist(), "normals": mesh.normals.tolist(),
            "indices": mesh.corners.tolist(),
        }  # fmt: skip
    return int(client.createVisualShape(p.GEOM_MESH, **shape, **look))


@lru_cache(maxsize=1000)
def scaled_file(file: str, factors: tuple[float, float, float]) -> str:
    """A copy of a Wavefront file, scaled along x, y and z; normals are scaled accordingly."""
    lines = []
    for line in Path(file).read_text(encoding="ascii").splitlines(keepends=True):
        kind, *rest = line.split()
        if kind in ("v", "vn"):
            numbers = np.array(rest, float) * (factors if kind == "v" else 1 / np.array(factors))
            numbers /= np.linalg.norm(numbers) if kind == "vn" else 1.0
            line = f"{kind} {' '.join(f'{number:.9g}' for number in numbers)}\n"
        lines.append(line)
    return _stored("".join(lines))


@lru_cache(maxsize=256)
def _wavefront(mesh: Mesh) -> str:
    lines = [f"v {x:.9g} {y:.9g} {z:.9g}\n" for x, y, z in mesh.vertices]
    lines += [f"vn {x:.9g} {y:.9g} {z:.9g}\n" for x, y, z in mesh.normals]
    corners = mesh.corners.reshape(-1, 3) + 1
    lines += [f"f {a}//{a} {b}//{b} {c}//{c}\n" for a, b, c in corners]
    return _stored("".join(lines))


def forget_old(client: Client) -> None:
    """Delete files of meshes, once there are many; to be called before shapes are created.

    Sizes are drawn at random, so there is no end of different meshes. A body needs no file after it
    was created. Pybullet keeps what it has read until it is told to cache no files.
    """
    if len(_files) < 2 * _KEPT:
        return
    _clear_caches()
    while len(_files) > _KEPT:  # another thread may be about to use the last ones
        Path(_files.popleft()).unlink(missing_ok=True)
    client.setPhysicsEngineParameter(enableFileCaching=0)
    client.setPhysicsEngineParameter(enableFileCaching=1)


_KEPT = 500
_files: deque[str] = deque()


def _stored(text: str) -> str:
    """A temporary Wavefront file, named by its content; it is deleted when the process ends."""
    path = scratch.folder() / f"{hashlib.sha256(text.encode()).hexdigest()}.obj"
    if not path.exists():
        try:
            path.write_text(text, encoding="ascii")
        except OSError:
            path.unlink(missing_ok=True)
            raise
        _files.append(str(path))
    return str(path)


def _clear_caches() -> None:
    scaled_file.cache_clear()
    _wavefront.cache_clear()


def _forget_all() -> None:
    """In a forked process: the files are its parent's, which may end first."""
    _clear_caches()
    _files.clear()


os.register_at_fork(after_in_child=_forget_all)
