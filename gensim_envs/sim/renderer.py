"""Connections to pybullet, and its two renderers made to agree.

`GENSIM_RENDERER` chooses: "tiny" is pybullet's own software renderer, the default; "egl" is OpenGL
without a display. They differ in what they draw and in how they say it: where in a pixel they
look, what their depth means, which meshes they take. All of that stays in here.
"""

from __future__ import annotations

import atexit
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pybullet as p
from numpy.typing import NDArray

from gensim_envs.sim import quiet
from gensim_envs.task.goals import Array

RENDERERS = ("tiny", "egl")
"""What GENSIM_RENDERER may be."""

_MODULE, _POSTFIX = "eglRenderer", "_eglRendererPlugin"
_REMEDY = (
    "install OpenGL's drivers (on Debian and Ubuntu: apt install libegl1 libgl1 libgl1-mesa-dri), "
    "or unset GENSIM_RENDERER"
)
_plugins: dict[int, int] = {}  # of each client that renders with EGL


def asked_for() -> str:
    """The renderer that GENSIM_RENDERER names.

    Raises:
        ValueError: where it names none that there is.
    """
    name = os.environ.get("GENSIM_RENDERER") or RENDERERS[0]
    if name not in RENDERERS:
        raise ValueError(f"GENSIM_RENDERER is {name!r}; use one of {', '.join(RENDERERS)}")
    return name


def connect(renderer: str) -> int:
    """A new pybullet client whose pictures this renderer draws.

    Raises:
        RuntimeError: where EGL does not start here.
    """
    if renderer == "egl":
        _check_egl()
    client = int(p.connect(p.DIRECT))
    if renderer == "egl":
        with quiet(1, 2):
            _plugins[client] = p.loadPlugin(_library(), _POSTFIX, physicsClientId=client)
            for _ in range(3):  # its first two pictures lack the shadows that later ones have
                take(client, (8, 8), np.eye(4), orthographic(1, 1, 0.1, 1))
    return client


def disconnect(client: int) -> None:
    """Give a client back, and its OpenGL context with it."""
    plugin = _plugins.pop(client, None)
    if plugin is None:
        p.disconnect(physicsClientId=client)
        return
    with quiet(1, 2):
        p.unloadPlugin(plugin, physicsClientId=client)
        p.disconnect(physicsClientId=client)


def uses_egl(client: int) -> bool:
    """Whether OpenGL draws the pictures of this client."""
    return client in _plugins


def _library() -> str:
    spec = importlib.util.find_spec(_MODULE)
    if spec is None or spec.origin is None:
        raise RuntimeError(f"this pybullet has no {_MODULE}; unset GENSIM_RENDERER")
    return spec.origin


_PROBE = """
import sys, pybullet as p
client = p.connect(p.DIRECT)
if p.loadPlugin(*sys.argv[1:], physicsClientId=client) < 0:
    sys.exit("the plugin was not loaded")
p.getCameraImage(8, 8, physicsClientId=client)
"""


@cache
def _check_egl() -> None:
    """That EGL starts here: where it does not, pybullet ends the process. So a child tries it."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROBE, _library(), _POSTFIX],
            capture_output=True, text=True, errors="replace", timeout=60, check=False,
        )  # fmt: skip
        failure = done.stderr if done.returncode else None
    except subprocess.TimeoutExpired:
        failure = "it does not answer within a minute"
    if failure is not None:
        reason = (failure.strip().splitlines() or ["the process died"])[-1]
        raise RuntimeError(f"EGL does not start here ({reason}); {_REMEDY}")


@dataclass(frozen=True)
class Picture:
    """What a camera sees.

    Attributes:
        color: (height, width, 3) uint8.
        distance: (height, width) float32, metres along the camera's axis.
        body: (height, width) int32, pybullet's body id, -1 where there is nothing.
    """

    color: NDArray[np.uint8]
    distance: NDArray[np.float32]
    body: NDArray[np.int32]


def take(
    client: int, shape: tuple[int, int], world_from_camera: Array, projection: Array, **light: Any
) -> Picture:
    """Take a picture.

    Args:
        client: pybullet's client id.
        shape: height and width of the picture, pixels.
        world_from_camera: (4, 4) pose of the camera: x to the right, y down, z ahead.
        projection: (4, 4), from `perspective` or `orthographic`.
        light: further arguments of pybullet's getCameraImage. EGL heeds none but the light's
            direction, and always draws the shadows that bodies cast on each other.
    """
    height, width = shape
    view = np.diag([1.0, -1.0, -1.0, 1.0]) @ np.linalg.inv(world_from_camera)
    seen = projection
    if not uses_egl(client):
        # TinyRenderer looks at the lower left corners of pixels instead of their middles.
        seen = projection.copy()
        seen[:2] -= np.outer((1 / width, 1 / height), projection[3])
    color, buffer, body = p.getCameraImage(
        width, height, viewMatrix=view.T.ravel().tolist(),
        projectionMatrix=seen.T.ravel().tolist(),
        renderer=p.ER_BULLET_HARDWARE_OPENGL if uses_egl(client) else p.ER_TINY_RENDERER,
        physicsClientId=client, **light,
    )[2:]  # fmt: skip
    distance = _distance(np.reshape(buffer, shape), projection, linear=uses_egl(client))
    return Picture(np.reshape(color, (*shape, 4))[..., :3], distance, np.reshape(body, shape))


def perspective(intrinsics: Array, shape: tuple[int, int], near: float, far: float) -> Array:
    """OpenGL's projection (4, 4) of a pinhole camera.

    Args:
        intrinsics: (3, 3), pixels; the middle of the first pixel is at (0, 0).
        shape: height and width of the picture, pixels.
        near: nothing nearer is seen, metres along the axis.
        far: nothing farther is seen, metres along the axis.
    """
    (fx, _, cx), (_, fy, cy), _ = intrinsics
    height, width = shape
    return np.array(
        [
            [2 * fx / width, 0, 1 - 2 * (cx + 0.5) / width, 0],
            [0, 2 * fy / height, 2 * (cy + 0.5) / height - 1, 0],
            [0, 0, -(far + near) / (far - near), -2 * far * near / (far - near)],
            [0, 0, -1, 0],
        ]
    )


def orthographic(width: float, height: float, near: float, far: float) -> Array:
    """OpenGL's projection (4, 4) of a camera with parallel rays; all in metres."""
    matrix = np.diag([2 / width, 2 / height, -2 / (far - near), 1])
    matrix[2, 3] = -(far + near) / (far - near)
    return matrix


def _distance(buffer: NDArray[np.float32], projection: Array, linear: bool) -> NDArray[np.float32]:
    """Metres along the camera's axis from a depth buffer.

    OpenGL's depth is linear where rays are parallel. TinyRenderer takes every projection for a
    perspective one: it reads near and far planes off it and writes
    depth = far / (far - near) * (1 - near / distance), which is solved here for the distance.
    """
    m22, m32 = float(projection[2, 2]), float(projection[2, 3])
    if linear and projection[3, 3] == 1:
        return np.asarray((m32 + 1 - 2 * buffer) / m22, dtype=np.float32)
    near, far = m32 / (m22 - 1), m32 / (m22 + 1)
    return np.asarray(far * near / (far - buffer * (far - near)), dtype=np.float32)


def mesh(client: int, vertices: Any, normals: Any, indices: Any, **look: Any) -> int:
    """A visual shape of triangles.

    Args:
        client: pybullet's client id.
        vertices: (n, 3) metres.
        normals: (n, 3).
        indices: (3 k,) corners of triangles.
        look: further arguments of pybullet's createVisualShape.
    """
    if uses_egl(client):  # which draws no mesh that is not in a file
        shape = {"fileName": _file(vertices, normals, indices)}
    else:
        shape = {"vertices": vertices, "normals": normals, "indices": indices}
    return int(p.createVisualShape(p.GEOM_MESH, **shape, **look, physicsClientId=client))


def box_mesh(size: tuple[float, float, float]) -> dict[str, Any]:
    """The six faces of a box about its middle."""
    vertices: list[list[float]] = []
    normals: list[list[float]] = []
    indices: list[int] = []
    for axis in range(3):
        u, v = (axis + 1) % 3, (axis + 2) % 3
        for side in (-1.0, 1.0):
            first = len(vertices)
            for du, dv in ((-1, -1), (side, -side), (1, 1), (-side, side)):
                corner = [0.0, 0.0, 0.0]
                corner[axis], corner[u], corner[v] = side, du, dv
                vertices.append([c * s / 2 for c, s in zip(corner, size, strict=True)])
                normals.append([side if k == axis else 0.0 for k in range(3)])
            indices += [first, first + 1, first + 2, first, first + 2, first + 3]
    return {"vertices": vertices, "normals": normals, "indices": indices}


def box(client: int, size: tuple[float, float, float], rgba: Sequence[float]) -> int:
    """A visual shape of a box; EGL would round the edges of pybullet's own."""
    if uses_egl(client):
        return mesh(client, **box_mesh(size), rgbaColor=rgba)
    half = [side / 2 for side in size]
    return int(
        p.createVisualShape(p.GEOM_BOX, halfExtents=half, rgbaColor=rgba, physicsClientId=client)
    )


@cache
def _folder() -> Path:
    folder = tempfile.mkdtemp(prefix="gensim-meshes-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _file(vertices: Any, normals: Any, indices: Any) -> str:
    """A mesh as a Wavefront file, which is written once and goes when the process ends."""
    lines = [f"v {x:.9g} {y:.9g} {z:.9g}\n" for x, y, z in vertices]
    lines += [f"vn {x:.9g} {y:.9g} {z:.9g}\n" for x, y, z in normals]
    corners = np.reshape(indices, (-1, 3)) + 1
    lines += [f"f {a}//{a} {b}//{b} {c}//{c}\n" for a, b, c in corners]
    return _keep("".join(lines))


def _keep(text: str) -> str:
    """A file in the folder, by what is in it."""
    path = _folder() / f"{hashlib.sha256(text.encode()).hexdigest()}.obj"
    if not path.exists():
        path.write_text(text, encoding="ascii")
    return str(path)


@lru_cache(maxsize=1000)
def scaled(file: str, factors: tuple[float, float, float]) -> str:
    """A Wavefront file like this one, scaled along x, y and z; normals turn along."""
    lines = []
    for line in Path(file).read_text(encoding="ascii").splitlines(keepends=True):
        kind, *rest = line.split()
        if kind in ("v", "vn"):
            numbers = np.array(rest, float) * (factors if kind == "v" else 1 / np.array(factors))
            numbers /= np.linalg.norm(numbers) if kind == "vn" else 1.0
            line = f"{kind} {' '.join(f'{number:.9g}' for number in numbers)}\n"
        lines.append(line)
    return _keep("".join(lines))
