"""Paths of the tool, timed so that the joints can follow them."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from gensim_envs.sim.arm.robot import BASE_POSITION, LIMITS, Array, inverse
from gensim_envs.sim.client import STEP

Path = Callable[[Array], Array]
"""Fractions of a path (n,), each 0 to 1 -> the tip there, (n, 4): x, y, z, yaw."""

_SPEED = 0.9 * np.array(LIMITS.speed)  # rad/s
# Universal Robots publishes no accelerations. At this estimate, the torques keep well within
# their limits; `python -m benchmarks arm` shows by how much.
_ACCELERATION = 12.0  # rad/s^2
_KNOTS = 101  # points of a path at which the joints' speeds are computed
_SMOOTH = 10  # steps over which a change of acceleration is spread


def line(a: ArrayLike, b: ArrayLike) -> Path:
    """A straight path from tip `a` to tip `b`, (4,) each."""
    start, end = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    return lambda share: start + np.outer(share, end - start)


def rounded(tips: ArrayLike, radius: float) -> Path:
    """A path along straight lines from tip to tip (k, 4), without a stop at corners.

    Args:
        tips: at least two; consecutive ones differ.
        radius: metres before and after a point of the path over which it is averaged.
    """
    corners = np.asarray(tips, dtype=np.float64)
    parts = np.linalg.norm(np.diff(corners[:, :3], axis=0), axis=1)
    lengths = np.concatenate([[0.0], np.cumsum(parts)])

    def path(share: Array) -> Array:
        middle = share * lengths[-1]
        # The path is not rounded at its ends, so that it starts and ends exactly at its tips.
        half = np.minimum(radius, np.minimum(middle, lengths[-1] - middle))
        around = middle[:, None] + half[:, None] * np.linspace(-1, 1, 21)
        return np.stack([np.interp(around, lengths, c).mean(axis=1) for c in corners.T], axis=1)

    return path


def arc(a: ArrayLike, b: ArrayLike) -> Path:
    """A path from tip `a` to tip `b`, (4,) each, around the arm's base.

    Unlike a straight line between two points of the workspace, it never passes too near the base.
    """
    polar = line(_polar(np.asarray(a, dtype=np.float64)), _polar(np.asarray(b, dtype=np.float64)))

    def path(share: Array) -> Array:
        tips = polar(share)
        radius, angle = tips[:, 0].copy(), tips[:, 1].copy()
        tips[:, 0] = BASE_POSITION[0] + radius * np.cos(angle)
        tips[:, 1] = BASE_POSITION[1] + radius * np.sin(angle)
        return tips

    return path


def _polar(tip: Array) -> Array:
    """(distance from the base, angle about it, z, yaw) of a tip (4,)."""
    x, y = tip[:2] - BASE_POSITION[:2]
    return np.array([math.hypot(x, y), math.atan2(y, x), *tip[2:]])


def plan(
    path: Path, joints: Array, speed: float = math.inf, acceleration: float = math.inf
) -> Array:
    """Time a path from rest to rest, so that the joints can follow.

    Progress along the path has a constant rate between two ramps. Rate and ramps are as steep as
    the joints' limits allow at the tightest point.

    Args:
        path: starts where the arm is.
        joints: (6,) rad, where the arm is. Later joints are those nearest to them.
        speed: m/s, a limit for the tip.
        acceleration: m/s^2, a limit for the tip on a straight path.

    Returns:
        (n, 4) the tip after each of n simulation steps; the last is the end of the path. It is
        empty where the path has no length.

    Raises:
        ValueError: a point of the path is out of reach.
    """
    shares = np.linspace(0, 1, _KNOTS)
    tips = path(shares)
    solutions = np.empty((_KNOTS, 6))
    for knot, tip in enumerate(tips):
        solutions[knot] = joints = inverse(tip[:3], tip[3], joints)
    first: Array = np.asarray(np.gradient(solutions, shares, axis=0))
    if not first.any():
        return tips[:0]
    second: Array = np.asarray(np.gradient(first, shares, axis=0))
    length = float(np.linalg.norm(np.diff(tips[:, :3], axis=0), axis=1).sum())
    # d2q/dt2 = first * ramp + second * rate^2: each gets half of what there is.
    rate = min(
        float(np.min(_SPEED / (np.abs(first).max(axis=0) + 1e-9))),
        math.sqrt(_ACCELERATION / 2 / (float(np.abs(second).max()) + 1e-9)),
        speed / (length + 1e-9),
    )
    ramp = min(
        _ACCELERATION / 2 / (float(np.abs(first).max()) + 1e-9), acceleration / (length + 1e-9)
    )
    return path(_progress(rate, ramp))


def _progress(rate: float, ramp: float) -> Array:
    """Progress after each step, from 0 to 1, with at most `rate` per s and `ramp` per s^2."""
    rate = min(rate, math.sqrt(ramp))
    rising, total = rate / ramp, 1 / rate + rate / ramp
    time = np.minimum(np.arange(1, math.ceil(total / STEP) + 1) * STEP, total)
    up, level = np.minimum(time, rising), np.clip(time - rising, 0, total - 2 * rising)
    down = np.maximum(time - (total - rising), 0)
    share = ramp * up**2 / 2 + rate * level + rate * down - ramp * down**2 / 2
    # A moving average is never steeper, and has no jump in acceleration.
    padded = np.concatenate([np.zeros(_SMOOTH - 1), share, np.ones(_SMOOTH - 1)])
    smooth = np.convolve(padded, np.full(_SMOOTH, 1 / _SMOOTH), "valid")
    smooth[-1] = 1.0
    return smooth
