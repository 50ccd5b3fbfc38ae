"""Pictures: the views from above and from the sides that agents see, and one for people.

The table is not rendered but filled in, which is exact and saves most of the time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensim_envs.sim.renderer import orthographic, perspective, take
from gensim_envs.sim.views import PIXEL, SHAPE
from gensim_envs.task.goals import Array
from gensim_envs.task.pose import WORKSPACE

TABLE_COLOR = (206, 196, 176)
"""sRGB bytes of the table top: a light sand, away from every named colour."""
FLOOR_COLOR = (92, 94, 98)
"""sRGB bytes of what lies beyond the table."""
TABLE_MARGIN = 0.3
"""Metres of table beyond the workspace."""

_CAMERA_HEIGHT = 1.0
_LAMP = {"lightAmbientCoeff": 0.55, "lightDiffuseCoeff": 0.5, "lightSpecularCoeff": 0.0}


@dataclass(frozen=True)
class Light:
    """What shines on the table.

    Attributes:
        direction: towards the light; bodies are shaded by it.
        gain: factors on red, green and blue of the whole picture.
    """

    direction: tuple[float, float, float] = (0.35, 0.5, 1.0)
    gain: tuple[float, float, float] = (1.0, 1.0, 1.0)

    @property
    def options(self) -> dict[str, Any]:
        """What it means to the renderer."""
        return {**_LAMP, "lightDirection": self.direction, "shadow": 0}

    def on(self, color: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A picture (..., 3) in this light, which has been rendered with its direction."""
        if self.gain == (1.0, 1.0, 1.0):
            return color
        levels = np.arange(256)[:, None] * np.array(self.gain)
        table = np.minimum(levels + 0.5, 255).astype(np.uint8)
        return np.stack([table[color[..., k], k] for k in range(3)], axis=-1)


@dataclass(frozen=True)
class Sight:
    """How the scene is seen in one episode.

    Attributes:
        light: what shines on it.
        nudges: (4, 4) poses of cameras in the frames where they should be, by name; the one of the
            view from above is called "above". Who is not named is where it should be.
    """

    light: Light = Light()
    nudges: Mapping[str, Array] = field(default_factory=dict)


PLAIN = Sight()


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


_EXTENT = (SHAPE[0] * PIXEL, SHAPE[1] * PIXEL)
_FROM_ABOVE = orthographic(_EXTENT[1], _EXTENT[0], 0.1, 1.3)
_ABOVE = np.array(
    [
        [0.0, 1.0, 0.0, sum(WORKSPACE[0]) / 2],
        [1.0, 0.0, 0.0, sum(WORKSPACE[1]) / 2],
        [0.0, 0.0, -1.0, _CAMERA_HEIGHT],
        [0.0, 0.0, 0.0, 1.0],
    ]
)  # its x, to the right, is the world's y; its y, down, the world's x


def top_down(client: int, sight: Sight = PLAIN) -> TopDown:
    """Render the view from above.

    Where the camera is not where it should be, heights are those of someone who does not know:
    the height where it should be, less the distance measured.

    Args:
        client: pybullet's client id.
        sight: how the scene is seen.
    """
    nudge = sight.nudges.get("above")
    pose = _ABOVE if nudge is None else _ABOVE @ nudge
    picture = take(client, SHAPE, pose, _FROM_ABOVE, **sight.light.options)
    empty = picture.body < 0
    color = np.ascontiguousarray(picture.color)
    color[empty] = TABLE_COLOR
    height = np.asarray(_CAMERA_HEIGHT - picture.distance, np.float32)
    height[empty] = 0.0 if nudge is None else _slanted(pose)[empty]
    return TopDown(sight.light.on(color), height, picture.body)


def _slanted(pose: Array) -> NDArray[np.float32]:
    """How high the table seems, (160, 320), from a camera above that hangs crooked."""
    down, across = ((np.arange(n) + 0.5) * PIXEL - n * PIXEL / 2 for n in SHAPE)
    start = pose[2, 0] * across + (pose[2, 1] * down)[:, None] + pose[2, 3]
    return np.asarray(_CAMERA_HEIGHT + start / pose[2, 2], np.float32)


VIEW_SHAPE = (480, 640)
"""Rows and columns of a view from the side."""


@dataclass(frozen=True)
class Camera:
    """A camera beside the table, by default with as many pixels as a RealSense D415.

    Attributes:
        eye: where it stands, (x, y, z) metres.
        heading: where it looks, seen from above, degrees from x towards y.
        dip: how far below the horizon it looks, degrees.
        focal: its focal length, pixels.
        shape: rows and columns of its pictures.
    """

    eye: tuple[float, float, float]
    heading: float
    dip: float
    focal: float = 450.0
    shape: tuple[int, int] = VIEW_SHAPE

    @property
    def intrinsics(self) -> Array:
        """(3, 3), pixels; the middle of the first pixel is at (0, 0)."""
        height, width = self.shape
        f = self.focal
        return np.array([[f, 0, (width - 1) / 2], [0, f, (height - 1) / 2], [0, 0, 1]])

    @property
    def world_from_camera(self) -> Array:
        """(4, 4), as in OpenCV: x to the right, y down, z ahead along the optical axis."""
        yaw, dip = math.radians(self.heading), math.radians(self.dip)
        c, s = math.cos(yaw), math.sin(yaw)
        ahead = np.array([c * math.cos(dip), s * math.cos(dip), -math.sin(dip)])
        right = np.array([s, -c, 0])
        pose = np.eye(4)
        pose[:3] = np.stack([right, np.cross(ahead, right), ahead, self.eye], axis=1)
        return pose


CAMERAS = {
    "front": Camera((1.0, 0.0, 0.75), 180, 45),
    "left": Camera((0.0, 0.5, 0.75), -45, 50),
    "right": Camera((0.0, -0.5, 0.75), 45, 50),
}
"""Three cameras round the table, beyond it and to the left and right of the robot. Where they stand
and look, and their focal length, are as in the simulation of Transporter Networks (arXiv
2010.14406; google-research/ravens, ravens/tasks/cameras.py)."""
_REACH = (0.1, 3.0)  # metres that are rendered


def look(
    client: int, name: str, sight: Sight = PLAIN
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Render one of the views from the sides.

    Args:
        client: pybullet's client id.
        name: of the camera, from `CAMERAS`.
        sight: how the scene is seen.

    Returns:
        Colour (480, 640, 3) uint8 and depth (480, 640) float32: metres along the optical axis, 0
        beyond the table, as a D415 says where it has no reading.
    """
    camera, nudge = CAMERAS[name], sight.nudges.get(name)
    pose = camera.world_from_camera if nudge is None else camera.world_from_camera @ nudge
    projection = perspective(camera.intrinsics, VIEW_SHAPE, *_REACH)
    picture = take(client, VIEW_SHAPE, pose, projection, **sight.light.options)
    color, depth = _empty(name) if nudge is None else _empty_at(pose, camera.intrinsics)
    color, depth = color.copy(), depth.copy()
    body = np.flatnonzero(picture.body >= 0)
    distance, table = picture.distance.ravel()[body], depth.ravel()[body]
    # What has fallen off the table, or waits below it, is hidden by it.
    seen = distance < np.where(table > 0, table, _REACH[1])
    row, column = np.divmod(body[seen], VIEW_SHAPE[1])
    color[row, column], depth[row, column] = picture.color[row, column], distance[seen]
    return sight.light.on(color), depth


def _empty_at(pose: Array, intrinsics: Array) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Colour and depth of the bare table, as `look` gives them."""
    rays = pose[:3, :3] @ np.linalg.inv(intrinsics)
    down, across = (np.arange(n) for n in VIEW_SHAPE)
    x, y, z = ((row[1] * down + row[2])[:, None] + row[0] * across for row in rays)
    with np.errstate(divide="ignore"):
        depth = -pose[2, 3] / z
    table = (z < 0) & (depth < _REACH[1])
    for ray, start, (low, high) in zip((x, y), pose[:2, 3], WORKSPACE, strict=True):
        with np.errstate(invalid="ignore"):
            at = start + depth * ray
        table &= (at > low - TABLE_MARGIN) & (at < high + TABLE_MARGIN)
    color = np.where(table[..., None], TABLE_COLOR, FLOOR_COLOR).astype(np.uint8)
    return color, np.where(table, depth, 0).astype(np.float32)


@cache
def _empty(name: str) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    return _empty_at(CAMERAS[name].world_from_camera, CAMERAS[name].intrinsics)


OVERVIEW = Camera((1.42, -0.66, 0.92), 146, 30.7, focal=565)
"""For people: the table and the whole arm."""
CLOSE_UP = Camera((1.42, -0.66, 0.92), 146.3, 35.9, focal=523, shape=(360, 480))
"""For people: the workspace and what of the arm reaches into it; drawn in half the time."""
_FILM_LIGHT = {**_LAMP, "lightDirection": (0.9, 0.6, 1.6), "lightDistance": 3.0, "shadow": 1}


def for_people(client: int, camera: Camera = OVERVIEW) -> NDArray[np.uint8]:
    """A perspective picture with shadows, (height, width, 3) uint8."""
    projection = perspective(camera.intrinsics, camera.shape, 0.05, 5.0)
    picture = take(client, camera.shape, camera.world_from_camera, projection, **_FILM_LIGHT)
    return np.ascontiguousarray(picture.color)
