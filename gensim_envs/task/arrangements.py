"""Regular arrangements of poses; each follows the position and heading of its centre."""

from __future__ import annotations

import math

import numpy as np

from gensim_envs.task.pose import Pose


def ring(center: Pose, count: int, radius: float) -> list[Pose]:
    """`count` poses evenly round a circle of `radius` metres, each facing outwards."""
    _at_least(1, count=count)
    return [center @ Pose(0, 0, 0, math.tau * k / count) @ Pose(radius, 0) for k in range(count)]


def line(center: Pose, count: int, spacing: float) -> list[Pose]:
    """`count` poses `spacing` metres apart along the centre's own x axis."""
    _at_least(1, count=count)
    return [center @ Pose((k - (count - 1) / 2) * spacing, 0) for k in range(count)]


def grid(center: Pose, rows: int, columns: int, spacing: float) -> list[Pose]:
    """`rows` lines of `columns` poses each, `spacing` metres apart, row by row."""
    _at_least(1, rows=rows, columns=columns)
    return [
        pose
        for r in range(rows)
        for pose in line(center @ Pose(0, (r - (rows - 1) / 2) * spacing), columns, spacing)
    ]


def stack(base: Pose, count: int, height: float) -> list[Pose]:
    """`count` poses above one another, for items `height` metres high, lowest first."""
    _at_least(1, count=count)
    return [base.up(k * height) for k in range(count)]


def pyramid(base: Pose, count: int, spacing: float, height: float) -> list[list[Pose]]:
    """Rows of `count`, `count` - 1, ... 1 poses, each row on the gaps of the one below.

    Args:
        base: centre of the lowest row, which lies along its x axis.
        count: poses in the lowest row.
        spacing: metres between neighbours of a row.
        height: height of an item, metres.

    Returns:
        The rows, lowest first.
    """
    _at_least(1, count=count)
    return [line(base.up(k * height), count - k, spacing) for k in range(count)]


def square(center: Pose, side: float, per_side: int) -> list[Pose]:
    """The outline of a square of `side` metres, `per_side` poses a side, corners counted once.

    The first pose is the corner at -x, -y; the rest follow counter-clockwise, each heading along
    its side.
    """
    _at_least(2, per_side=per_side)
    steps = per_side - 1
    return [
        center @ Pose(0, 0, 0, quarter * math.pi / 2) @ Pose((k / steps - 0.5) * side, -side / 2)
        for quarter in range(4)
        for k in range(steps)
    ]


def tiles(
    center: Pose, extents: tuple[float, float], smallest: float, rng: np.random.Generator
) -> list[tuple[tuple[float, float], Pose]]:
    """Cut a rectangle at random into smaller ones that fill it.

    Args:
        center: its middle; its sides lie along the centre's own axes.
        extents: its sides (x, y), metres.
        smallest: no side of a tile is shorter, metres.
        rng: draws the cuts, for instance `scene.rng`.

    Returns:
        The sides (x, y) and the middle of each tile.
    """
    if not smallest >= 0.02:
        raise ValueError(f"smallest is {smallest!r}; give at least 0.02 m")
    x, y = extents
    longest = max(x, y)
    if longest < 2 * smallest or (longest < 2.5 * smallest and rng.random() < 0.5):
        return [((x, y), center)]
    part = rng.uniform(smallest, longest - smallest)
    if x >= y:
        cuts = (((part - x) / 2, 0.0), (part, y)), ((part / 2, 0.0), (x - part, y))
    else:
        cuts = ((0.0, (part - y) / 2), (x, part)), ((0.0, part / 2), (x, y - part))
    return [
        tile for shift, sides in cuts for tile in tiles(center @ Pose(*shift), sides, smallest, rng)
    ]


def _at_least(least: int, **counts: int) -> None:
    for name, value in counts.items():
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if not whole or not least <= value <= 100:
            raise ValueError(f"{name} is {value!r}; give a whole number from {least} to 100")
