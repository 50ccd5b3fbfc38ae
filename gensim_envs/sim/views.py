"""The grid of the view from above, and the fusion of camera images into it.

Nothing here depends on the simulator, so it works for real cameras as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gensim_envs.task.pose import WORKSPACE

PIXEL = 0.003125
"""Metres a pixel of the view from above."""
SHAPE = (160, 320)
"""Rows (x) and columns (y) of the view from above."""

_LOWEST, _STEP, _LEVELS = -0.1, 1e-5, 1 << 16  # heights: -10 to 55 cm, in steps of 10 um
_BAND = 0.01  # metres below a surface's highest point within which a second point confirms it
_HOLE = 4  # pixels: the width up to which holes are filled


def xy_of_pixel(row: float, column: float) -> tuple[float, float]:
    """World (x, y), metres, of the centre of a pixel of the view from above."""
    (x0, _), (y0, _) = WORKSPACE
    return x0 + (row + 0.5) * PIXEL, y0 + (column + 0.5) * PIXEL


def pixel_of_xy(x: float, y: float) -> tuple[int, int]:
    """The pixel (row, column) of the view from above that contains a world point, clipped."""
    (x0, _), (y0, _) = WORKSPACE
    row, column = int((x - x0) / PIXEL), int((y - y0) / PIXEL)
    return min(max(row, 0), SHAPE[0] - 1), min(max(column, 0), SHAPE[1] - 1)


def fuse_views(
    color: NDArray[np.uint8], depth: NDArray[np.float32], cameras: Mapping[str, Any]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Fuse images with depth into a view of the table from above, on the grid of "rgbd".

    Every pixel becomes a point. In each cell of the grid the surface is at the highest point that a
    second point confirms, and its height is the mean of the points just below. Holes up to 12 mm
    wide are filled with the lowest pixel of their rim; other unseen cells are black, at height 0.

    Args:
        color: (n, h, w, 3) uint8, one image for each camera.
        depth: (n, h, w) metres along the optical axis; 0 for a missing reading.
        cameras: n cameras in the order of the images, as in `info["cameras"]`: each has
            "intrinsics" (3, 3) and "world_from_camera" (4, 4).

    Returns:
        Colour (160, 320, 3) uint8 and height above the table (160, 320) float32, metres.

    Raises:
        ValueError: the shapes do not agree.
    """
    if depth.shape != (len(cameras), *depth.shape[1:]) or color.shape != (*depth.shape, 3):
        raise ValueError(
            f"{len(cameras)} cameras, color {color.shape} and depth {depth.shape} do not agree; "
            "give (n, h, w, 3) and (n, h, w) for n cameras"
        )
    keys, pixels = [], color.reshape(-1, 3)
    for number, (camera, seen) in enumerate(zip(cameras.values(), depth, strict=True)):
        points = _points(seen, camera["intrinsics"], camera["world_from_camera"])
        keys.append(_keys(points, number * seen.size))
    cell, height, pixel = _surfaces(np.sort(np.concatenate(keys)))
    picture = np.zeros((SHAPE[0] * SHAPE[1], 3), np.uint8)
    heights = np.full(SHAPE[0] * SHAPE[1], np.nan, np.float32)
    picture[cell], heights[cell] = pixels[pixel], height
    return _fill(picture.reshape(*SHAPE, 3), heights.reshape(SHAPE))


def _points(
    depth: NDArray[np.float32], intrinsics: ArrayLike, world_from_camera: ArrayLike
) -> list[NDArray[np.float32]]:
    """World x, y and z of every pixel, (h, w) each; not finite where there is no reading."""
    rays = np.linalg.inv(np.asarray(intrinsics, np.float64))
    pose = np.asarray(world_from_camera, np.float64)
    rotation = (pose[:3, :3] @ rays).astype(np.float32)
    down, across = (np.arange(size, dtype=np.float32) for size in depth.shape)
    reading = np.where(depth > 0, depth, np.float32(np.nan))
    return [
        reading * ((row[1] * down + row[2])[:, None] + row[0] * across) + np.float32(start)
        for row, start in zip(rotation, pose[:3, 3], strict=True)
    ]


# A key packs cell, height and pixel into one integer, so that one fast sort groups the points by
# cell and orders each cell's by height.
_PIXEL_BITS, _LEVEL_BITS = 31, 16


def _keys(points: list[NDArray[np.float32]], first: int) -> NDArray[np.int64]:
    x, y, z = points
    (x0, x1), (y0, y1) = WORKSPACE
    highest = _LOWEST + (_LEVELS - 1) * _STEP
    kept = np.flatnonzero((x >= x0) & (x < x1) & (y >= y0) & (y < y1)
                          & (z > _LOWEST) & (z < highest))  # fmt: skip
    row = ((x.ravel()[kept] - x0) / PIXEL).astype(np.int64)
    column = ((y.ravel()[kept] - y0) / PIXEL).astype(np.int64)
    level = ((z.ravel()[kept] - _LOWEST) / _STEP).astype(np.int64)
    cell = np.minimum(row, SHAPE[0] - 1) * SHAPE[1] + np.minimum(column, SHAPE[1] - 1)
    packed: NDArray[np.int64] = (cell << (_LEVEL_BITS + _PIXEL_BITS)) | (level << _PIXEL_BITS)
    return packed | (kept + first)


def _surfaces(
    keys: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.int64]]:
    """Of each cell that was seen: its index, the height of its surface and a pixel of that."""
    cell = keys >> (_LEVEL_BITS + _PIXEL_BITS)
    level = (keys >> _PIXEL_BITS) & (_LEVELS - 1)
    band = round(_BAND / _STEP)
    same = np.diff(cell, prepend=-1) == 0
    first = np.flatnonzero(~same)
    confirmed = same & (np.diff(level, prepend=0) <= band)
    # The last confirmed point of each cell; its lowest one where no point is confirmed.
    at = np.where(confirmed, np.arange(len(keys)), 0)
    top = np.maximum(np.maximum.reduceat(at, first), first) if len(keys) else first
    counts = np.diff(np.append(first, len(keys)))
    limit = np.repeat(level[top], counts)
    near = (level <= limit) & (level >= limit - band)
    total = np.add.reduceat(np.where(near, level, 0), first) if len(keys) else first
    number = np.add.reduceat(near.astype(np.int64), first) if len(keys) else first
    height = (_LOWEST + (total / np.maximum(number, 1) + 0.5) * _STEP).astype(np.float32)
    return cell[first], height, keys[top] & ((1 << _PIXEL_BITS) - 1)


def _fill(
    color: NDArray[np.uint8], height: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Close small holes, each with the lowest pixel of its rim.

    What is hidden is hidden by something higher.
    """
    from scipy import ndimage  # its loading would take a fifth of that of an env

    known = np.pad(np.isfinite(height), _HOLE, mode="edge")
    closed = ndimage.binary_closing(known, np.ones((_HOLE + 1, _HOLE + 1), bool))
    small = closed[_HOLE:-_HOLE, _HOLE:-_HOLE] & np.isnan(height)
    hole, _ = ndimage.label(small, np.ones((3, 3), bool))
    rows, columns = np.nonzero(small)
    framed = np.pad(np.where(np.isnan(height), np.inf, height), 1, constant_values=np.inf)
    near = np.stack([framed[rows + r, columns + c] for r, c in np.ndindex(3, 3)])
    best = np.argmin(near, axis=0)
    order = np.lexsort((near.min(axis=0), hole[small]))  # by hole, its lowest neighbour first
    _, first, of_cell = np.unique(hole[small][order], return_index=True, return_inverse=True)
    lowest = np.empty_like(order)
    lowest[order] = order[first][of_cell]
    source = rows[lowest] + best[lowest] // 3 - 1, columns[lowest] + best[lowest] % 3 - 1
    seen = np.isfinite(near.min(axis=0))[lowest]
    for picture in (height, color):
        picture[rows[seen], columns[seen]] = picture[source][seen]
    return color, np.nan_to_num(height, nan=0.0)
