"""The cameras: the views from above and from the sides that policies observe, and the overview.

The table is not rendered but filled in, which is exact and saves most of the time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensim_envs.sim.client import Client
from gensim_envs.sim.renderer import orthographic, perspective, render
from gensim_envs.sim.views import PIXEL, SHAPE
from gensim_envs.task.geometry import Array
from gensim_envs.task.pose import WORKSPACE

TABLE_COLOR = (205, 180, 144)
"""sRGB bytes of the table top: a light sand, away from every named colour."""
FLOOR_COLOR = (92, 94, 98)
"""sRGB bytes of the floor around the table."""
TABLE_MARGIN = 0.3
"""Metres of table beyond the workspace."""

_CAMERA_HEIGHT = 1.0
_LAMP = {"lightAmbientCoeff": 0.55, "lightDiffuseCoeff": 0.5, "lightSpecularCoeff": 0.0}


@dataclass(frozen=True)
class Light:
    """The light on the table.

    Attributes:
        direction: towards the light, for the shading of bodies.
        gain: factors on red, green and blue of the whole image.
    """

    direction: tuple[float, float, float] = (0.35, 0.5, 1.0)
    gain: tuple[float, float, float] = (1.0, 1.0, 1.0)

    @property
    def options(self) -> dict[str, Any]:
        """Arguments of pybullet's getCameraImage."""
        return {**_LAMP, "lightDirection": self.direction, "shadow": 0}

    def apply_gain(self, color: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """An image (..., 3) times the gain."""
        if self.gain == (1.0, 1.0, 1.0):
            return color
        levels = np.arange(256)[:, None] * np.array(self.gain)
        table = np.minimum(levels + 0.5, 255).astype(np.uint8)
        return np.stack([table[color[..., k], k] for k in range(3)], axis=-1)


@dataclass(frozen=True)
class ViewConditions:
    """The light and the camera errors of one episode.

    Attributes:
        light: on the table.
        camera_errors: by name, the (4, 4) pose of a camera in the frame of its nominal pose. The
            camera above the table is called "above". Cameras that are not listed have no error.
    """

    light: Light = Light()
    camera_errors: Mapping[str, Array] = field(default_factory=dict)


DEFAULT_VIEW = ViewConditions()


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
_BACK = 15.0
"""Metres by which the camera above steps back along its parallel rays to render: TinyRenderer drops
faces that are turned away from the eye, even where a ray meets their front."""
_NEAR, _FAR = _BACK + 0.1, _BACK + 1.3
_FROM_ABOVE = orthographic(_EXTENT[1], _EXTENT[0], _NEAR, _FAR)
_ABOVE = np.array(
    [
        [0.0, 1.0, 0.0, sum(WORKSPACE[0]) / 2],
        [1.0, 0.0, 0.0, sum(WORKSPACE[1]) / 2],
        [0.0, 0.0, -1.0, _CAMERA_HEIGHT],
        [0.0, 0.0, 0.0, 1.0],
    ]
)  # its x, to the right, is the world's y; its y, down, the world's x


def render_top_down(client: Client, view: ViewConditions = DEFAULT_VIEW) -> TopDown:
    """Render the view from above.

    Where the camera has an error, heights are computed as if it had none: the nominal height of
    the camera minus the measured distance.

    Args:
        client: the scene.
        view: light and camera errors.
    """
    error = view.camera_errors.get("above")
    pose = _ABOVE if error is None else _ABOVE @ error
    eye = pose.copy()
    eye[:3, 3] -= _BACK * pose[:3, 2]
    image = render(client, SHAPE, eye, _FROM_ABOVE, **view.light.options)
    # TinyRenderer does not clip what is behind the far plane: the speck that the table is drawn as.
    # Only the few pixels that show a thing are computed, which takes a tenth of the time.
    seen = np.flatnonzero((image.body >= 0) & (image.distance <= _FAR))
    color = _empty_table().copy()
    color.reshape(-1, 3)[seen] = image.color.reshape(-1, 3)[seen]
    height = np.zeros(SHAPE, np.float32) if error is None else _apparent_table_height(pose)
    height.reshape(-1)[seen] = _CAMERA_HEIGHT + _BACK - image.distance.reshape(-1)[seen]
    body = np.full(SHAPE, -1, np.int32)
    body.reshape(-1)[seen] = image.body.reshape(-1)[seen]
    return TopDown(view.light.apply_gain(color), height, body)


@cache
def _empty_table() -> NDArray[np.uint8]:
    """Colour (160, 320, 3) of the view from above with nothing on the table."""
    return np.full((*SHAPE, 3), TABLE_COLOR, np.uint8)


def _apparent_table_height(pose: Array) -> NDArray[np.float32]:
    """The height of the table (160, 320) that a camera above it measures from a wrong pose."""
    down, across = ((np.arange(n) + 0.5) * PIXEL - n * PIXEL / 2 for n in SHAPE)
    start = pose[2, 0] * across + (pose[2, 1] * down)[:, None] + pose[2, 3]
    return np.asarray(_CAMERA_HEIGHT + start / pose[2, 2], np.float32)


VIEW_SHAPE = (480, 640)
"""Rows and columns of an image from a side camera."""


@dataclass(frozen=True)
class Camera:
    """A camera beside the table, by default with the resolution of a RealSense D415.

    Attributes:
        eye: its position (x, y, z), metres.
        heading: its direction as seen from above, degrees from x towards y.
        dip: its angle below the horizon, degrees.
        focal: its focal length, pixels.
        shape: rows and columns of its images.
    """

    eye: tuple[float, float, float]
    heading: float
    dip: float
    focal: float = 450.0
    shape: tuple[int, int] = VIEW_SHAPE

    @property
    def intrinsics(self) -> Array:
        """(3, 3), pixels; the centre of the first pixel is at (0, 0)."""
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
"""Three cameras: opposite the robot, and to its left and right. Their poses and focal length are
those of the simulation of Transporter Networks (arXiv 2010.14406; google-research/ravens,
ravens/tasks/cameras.py)."""
_RANGE = (0.1, 3.0)  # metres that are rendered


def render_camera(
    client: Client, name: str, view: ViewConditions = DEFAULT_VIEW
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Render the image of a side camera.

    Args:
        client: the scene.
        name: of the camera, from `CAMERAS`.
        view: light and camera errors.

    Returns:
        Colour (480, 640, 3) uint8 and depth (480, 640) float32: metres along the optical axis, 0
        beyond the table, as a D415 reports a missing reading.
    """
    camera, error = CAMERAS[name], view.camera_errors.get(name)
    pose = camera.world_from_camera if error is None else camera.world_from_camera @ error
    projection = perspective(camera.intrinsics, VIEW_SHAPE, *_RANGE)
    image = render(client, VIEW_SHAPE, pose, projection, **view.light.options)
    color, depth = _table(name) if error is None else _table_from(pose, camera.intrinsics)
    color, depth = color.copy(), depth.copy()
    body = np.flatnonzero(image.body >= 0)
    distance, table = image.distance.ravel()[body], depth.ravel()[body]
    # The table hides what has fallen off it or waits below it.
    visible = distance < np.where(table > 0, table, _RANGE[1])
    row, column = np.divmod(body[visible], VIEW_SHAPE[1])
    color[row, column], depth[row, column] = image.color[row, column], distance[visible]
    return view.light.apply_gain(color), depth


def _table_from(pose: Array, intrinsics: Array) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Colour and depth of the empty table, as `render_camera` returns them."""
    rays = pose[:3, :3] @ np.linalg.inv(intrinsics)
    down, across = (np.arange(n) for n in VIEW_SHAPE)
    x, y, z = ((row[1] * down + row[2])[:, None] + row[0] * across for row in rays)
    with np.errstate(divide="ignore"):
        depth = -pose[2, 3] / z
    table = (z < 0) & (depth < _RANGE[1])
    for ray, start, (low, high) in zip((x, y), pose[:2, 3], WORKSPACE, strict=True):
        with np.errstate(invalid="ignore"):
            at = start + depth * ray
        table &= (at > low - TABLE_MARGIN) & (at < high + TABLE_MARGIN)
    color = np.where(table[..., None], TABLE_COLOR, FLOOR_COLOR).astype(np.uint8)
    return color, np.where(table, depth, 0).astype(np.float32)


@cache
def _table(name: str) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    return _table_from(CAMERAS[name].world_from_camera, CAMERAS[name].intrinsics)


OVERVIEW = Camera((1.555, -0.24, 1.079), 166, 33, focal=522)
"""For videos: the workspace and the whole arm."""
CLOSE_UP = replace(OVERVIEW, focal=391.5, shape=(360, 480))
"""The same for videos in pages."""
