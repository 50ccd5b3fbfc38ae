"""Planar geometry of items: outlines, footprints, and the tilt and heading of a body."""

from __future__ import annotations

import functools
import math
from typing import cast

import numpy as np
import shapely
from numpy.typing import NDArray

from gensim_envs.task.pose import WORKSPACE, Pose

LOW, HIGH = np.array(WORKSPACE).T
"""The corners (x, y) of the workspace, (2,) each."""
TABLE = shapely.box(*LOW, *HIGH)
"""The workspace, seen from above."""
Array = NDArray[np.float64]


def clipped(points: Array) -> Array:
    """The nearest points (..., 2) of the workspace."""
    return np.clip(points, LOW, HIGH)


def in_workspace(x: float, y: float) -> bool:
    """Whether a point is in the workspace, its border included."""
    (x0, x1), (y0, y1) = WORKSPACE
    return bool(x0 <= x <= x1 and y0 <= y <= y1)


def transform(outline: Array, pose: Pose) -> Array:
    """Return corners (n, 2) in an item's frame as corners in the world."""
    c, s = math.cos(pose.yaw), math.sin(pose.yaw)
    turned: Array = outline @ np.array([[c, s], [-s, c]])
    return turned + (pose.x, pose.y)


def footprint(outline: Array, pose: Pose) -> shapely.Polygon:
    """The area on the table of an outline (n, 2) at a pose."""
    # Twice as fast as the constructor of Polygon, and this is done some sixty times for a draw.
    return cast(shapely.Polygon, shapely.polygons(transform(outline, pose)))


@functools.lru_cache(maxsize=256)  # a scene asks for the same ones all the time
def disc(radius: float) -> shapely.Polygon:
    """A disc around the origin."""
    return shapely.Point(0, 0).buffer(radius)


@functools.lru_cache(maxsize=256)
def rectangle(x: float, y: float) -> shapely.Polygon:
    """A rectangle around the origin, from -x to x and from -y to y."""
    return shapely.box(-x, -y, x, y)


def tilt_and_yaw(tumbles: str, rotation: Array) -> tuple[float, float]:
    """Return tilt and heading of a body, given which ways up are equivalent.

    Args:
        tumbles: `Asset.tumbles`.
        rotation: (3, 3) world_from_body.

    Returns:
        (tilt, yaw), radians; the tilt is 0 for a body that stands on a face it may stand on.
    """
    if tumbles == "ball":
        return 0.0, 0.0
    up = 2
    if tumbles == "cube":
        up = int(np.argmax(np.abs(rotation[2])))
    forward = rotation[:, (up + 1) % 3 if up != 2 else 0]
    cosine = rotation[2, up] if tumbles == "no" else abs(rotation[2, up])
    return math.acos(min(1.0, max(-1.0, cosine))), math.atan2(forward[1], forward[0])
