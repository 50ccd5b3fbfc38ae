"""Renderings of a pybullet client, made to agree between its two renderers.

They differ in which point of a pixel they sample and in what their depth buffer means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pybullet as p
from numpy.typing import NDArray

from gensim_envs.sim.client import Client
from gensim_envs.task.geometry import Array


@dataclass(frozen=True, eq=False)
class Rendering:
    """An image from a camera.

    Attributes:
        color: (height, width, 3) uint8.
        distance: (height, width) float32, metres along the camera's axis.
        body: (height, width) int32, pybullet's body id, -1 where there is nothing.
    """

    color: NDArray[np.uint8]
    distance: NDArray[np.float32]
    body: NDArray[np.int32]


def render(
    client: Client,
    shape: tuple[int, int],
    world_from_camera: Array,
    projection: Array,
    **light: Any,
) -> Rendering:
    """Render an image.

    Args:
        client: the scene.
        shape: height and width of the image, pixels.
        world_from_camera: (4, 4) pose of the camera: x to the right, y down, z ahead.
        projection: (4, 4), from `perspective` or `orthographic`.
        light: further arguments of pybullet's getCameraImage. EGL uses only the light's direction,
            and always draws the shadows that bodies cast on each other.
    """
    height, width = shape
    view = np.diag([1.0, -1.0, -1.0, 1.0]) @ np.linalg.inv(world_from_camera)
    shifted = projection
    if not client.egl:
        # TinyRenderer samples the lower left corners of pixels instead of their centres.
        shifted = projection.copy()
        shifted[:2] -= np.outer((1 / width, 1 / height), projection[3])
    color, buffer, body = client.getCameraImage(
        width, height, viewMatrix=view.T.ravel().tolist(),
        projectionMatrix=shifted.T.ravel().tolist(),
        renderer=p.ER_BULLET_HARDWARE_OPENGL if client.egl else p.ER_TINY_RENDERER, **light,
    )[2:]  # fmt: skip
    distance = _distance(np.reshape(buffer, shape), projection, linear=client.egl)
    return Rendering(np.reshape(color, (*shape, 4))[..., :3], distance, np.reshape(body, shape))


def perspective(intrinsics: Array, shape: tuple[int, int], near: float, far: float) -> Array:
    """OpenGL's projection (4, 4) of a pinhole camera.

    Args:
        intrinsics: (3, 3), pixels; the centre of the first pixel is at (0, 0).
        shape: height and width of the image, pixels.
        near: distance of the near plane along the axis, metres.
        far: distance of the far plane along the axis, metres.
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

    OpenGL's depth is linear for parallel rays. TinyRenderer treats every projection as a
    perspective one: it reads the near and far planes from it and writes
    depth = far / (far - near) * (1 - near / distance), which is solved here for the distance.
    """
    m22, m32 = float(projection[2, 2]), float(projection[2, 3])
    if linear and projection[3, 3] == 1:
        return np.asarray((m32 + 1 - 2 * buffer) / m22, dtype=np.float32)
    near, far = m32 / (m22 - 1), m32 / (m22 + 1)
    return np.asarray(far * near / (far - buffer * (far - near)), dtype=np.float32)
