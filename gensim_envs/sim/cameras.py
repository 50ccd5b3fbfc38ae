"""Pictures: the orthographic view from above that agents see, and a perspective one for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pybullet as p
from numpy.typing import NDArray

from gensim_envs.task.pose import WORKSPACE

PIXEL = 0.003125
"""Metres a pixel of the view from above."""
SHAPE = (160, 320)
"""Rows (x) and columns (y) of the view from above."""
TABLE_COLOR = (206, 196, 176)
"""sRGB bytes of the table top: a light sand, away from every named colour."""

_CAMERA_HEIGHT = 1.0
_NEAR, _FAR = 0.1, 1.1
_LIGHT = {"lightDirection": [0.35, 0.5, 1.0], "lightAmbientCoeff": 0.55, "lightDiffuseCoeff": 0.5,
          "lightSpecularCoeff": 0.0}  # fmt: skip
_FILM_LIGHT = {**_LIGHT, "lightDirection": [0.9, 0.6, 1.6], "lightDistance": 3.0}


@dataclass(frozen=True)
class TopDown:
    """The view from above: row 0 is at x = 0.25 m, column 0 at y = -0.5 m.

    Attributes:
        color: (160, 320, 3) uint8.
        height: (160, 320) float32, metres above the table.
        body: (160, 320) int32, pybullet's body id, -1 for the table.
    """

    color: NDArray[np.uint8]
    height: NDArray[np.float32]
    body: NDArray[np.int32]


def xy_of_pixel(row: float, column: float) -> tuple[float, float]:
    """World (x, y), metres, of the middle of a pixel of the view from above."""
    (x0, _), (y0, _) = WORKSPACE
    return x0 + (row + 0.5) * PIXEL, y0 + (column + 0.5) * PIXEL


def pixel_of_xy(x: float, y: float) -> tuple[int, int]:
    """The (row, column) of the view from above in which a world point lies, clipped to it."""
    (x0, _), (y0, _) = WORKSPACE
    row, column = int((x - x0) / PIXEL), int((y - y0) / PIXEL)
    return min(max(row, 0), SHAPE[0] - 1), min(max(column, 0), SHAPE[1] - 1)


def _orthographic() -> tuple[list[float], list[float]]:
    """View and projection matrices (column-major) of the camera above the table."""
    (x0, x1), (y0, y1) = WORKSPACE
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    view = p.computeViewMatrix([x, y, _CAMERA_HEIGHT], [x, y, 0], [-1, 0, 0])
    projection = np.zeros((4, 4))
    projection[0, 0], projection[1, 1] = 2 / (y1 - y0), 2 / (x1 - x0)
    projection[2, 2] = -2 / (_FAR - _NEAR)
    projection[2, 3] = -(_FAR + _NEAR) / (_FAR - _NEAR)
    projection[3, 3] = 1
    return list(view), projection.T.ravel().tolist()


_VIEW, _PROJECTION = _orthographic()


def _height_of_depth(depth: NDArray[np.float32]) -> NDArray[np.float32]:
    """Metres above the table from TinyRenderer's depth buffer.

    TinyRenderer reads near and far planes off any projection as if it were a perspective one and
    writes depth = far / (far - near) * (1 - near / distance); this is solved for the distance.
    """
    m22, m32 = _PROJECTION[10], _PROJECTION[14]
    near, far = m32 / (m22 - 1), m32 / (m22 + 1)
    distance = far * near / (far - depth * (far - near))
    return np.asarray(_CAMERA_HEIGHT - distance, dtype=np.float32)


def _render(width: int, height: int, client: int, **options: Any) -> tuple[Any, Any, Any]:
    _, _, color, depth, body = p.getCameraImage(
        width, height, renderer=p.ER_TINY_RENDERER, physicsClientId=client, **options
    )
    shape = (height, width)
    return np.reshape(color, (*shape, 4)), np.reshape(depth, shape), np.reshape(body, shape)


def top_down(client: int) -> TopDown:
    """Render the view from above.

    The table has no visual shape here: where nothing is hit it is filled in, which is exact and
    saves three quarters of the time.
    """
    color, depth, body = _render(
        SHAPE[1],
        SHAPE[0],
        client,
        viewMatrix=_VIEW,
        projectionMatrix=_PROJECTION,
        shadow=0,
        **_LIGHT,
    )
    empty = body < 0
    picture = np.ascontiguousarray(color[..., :3])
    picture[empty] = TABLE_COLOR
    height = _height_of_depth(depth)
    height[empty] = 0.0
    return TopDown(picture, height, body)


_EYE = (1.42, -0.66, 0.92)


@dataclass(frozen=True)
class Shot:
    """How a picture for people is taken.

    Attributes:
        target: point in the middle of the picture, metres.
        view: vertical field of view, degrees.
        size: (width, height), pixels.
    """

    target: tuple[float, float, float]
    view: float
    size: tuple[int, int]


OVERVIEW = Shot((0.40, 0.03, 0.19), 46, (640, 480))
"""The table and the whole arm."""
CLOSE_UP = Shot((0.46, -0.02, 0.085), 38, (480, 360))
"""The workspace and what of the arm reaches into it; smaller, so drawn in half the time."""


def for_people(client: int, shot: Shot = OVERVIEW) -> NDArray[np.uint8]:
    """A perspective picture with shadows, (height, width, 3) uint8."""
    width, height = shot.size
    color, _, _ = _render(
        width,
        height,
        client,
        viewMatrix=p.computeViewMatrix(_EYE, shot.target, [0, 0, 1]),
        projectionMatrix=p.computeProjectionMatrixFOV(shot.view, width / height, 0.05, 5.0),
        shadow=1,
        **_FILM_LIGHT,
    )
    return np.ascontiguousarray(color[..., :3])
