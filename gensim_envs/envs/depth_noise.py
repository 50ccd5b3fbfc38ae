"""The noise of a depth camera.

A simple model of a stereo camera such as the RealSense D415, whose two cameras are 55 mm apart. All
other numbers are estimates. Errors of neighbouring pixels are independent here, which those of a
real camera are not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_BASELINE = 0.055  # metres between the two cameras
_FOCAL = 450.0  # pixels, of the cameras in sim/cameras.py
_DISPARITY = 0.08  # pixels, standard deviation of a point's position: an estimate
_UNIT = 0.001  # metres, the resolution of depth: an estimate
_JUMP = 0.02  # an edge is a change of depth by this share of it: an estimate
_LOST_AT_EDGES = 0.5  # share of pixels without a reading: an estimate
_LOST_ELSEWHERE = 0.003
_COLOR = 3  # levels by which a channel may be off: an estimate


def add_noise(
    color: NDArray[np.uint8], depth: NDArray[np.float32], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Add noise to colour and depth.

    The standard deviation of depth grows with its square, depth^2 x disparity / (focal length x
    baseline): 3 mm at one metre.

    Args:
        color: (n, h, w, 3) uint8.
        depth: (n, h, w) float32, metres along the optical axis, 0 for a missing reading.
        rng: draws the noise.

    Returns:
        Arrays like `color` and `depth`.
    """
    spread = np.float32(_DISPARITY / (_FOCAL * _BASELINE))
    noisy = depth + spread * depth**2 * rng.standard_normal(depth.shape, np.float32)
    noisy = np.asarray(np.round(noisy / np.float32(_UNIT)) * np.float32(_UNIT), np.float32)
    lost = np.where(_edges(depth), np.float32(_LOST_AT_EDGES), np.float32(_LOST_ELSEWHERE))
    noisy[(rng.random(depth.shape, np.float32) < lost) | (depth == 0)] = 0
    levels = color + rng.integers(-_COLOR, _COLOR + 1, color.shape, np.int8).astype(np.int16)
    return np.clip(levels, 0, 255).astype(np.uint8), noisy


def _edges(depth: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Mask (n, h, w) of the pixels beside a jump in depth."""
    edge = np.zeros(depth.shape, bool)
    for axis in (1, 2):
        along = np.moveaxis(depth, axis, 0)
        jump = np.abs(along[1:] - along[:-1]) > _JUMP * along[1:]
        marked = np.moveaxis(edge, axis, 0)
        marked[1:] |= jump
        marked[:-1] |= jump
    return edge
