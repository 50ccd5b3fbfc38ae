"""What a program of the original GenSim did in one `reset`, as plain data.

Lengths are in metres; a pose is (x, y, z) and a quaternion (x, y, z, w), as that project writes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from gensim_envs.utils.decode import Range, Size

ISLAND = 7.0
"""Metres between the islands on which random poses lie, so that no two of them are confused."""

Coordinate = Annotated[float, Range(-10_000, 10_000)]
Frame = tuple[Coordinate, Coordinate, Coordinate, Coordinate, Coordinate, Coordinate, Coordinate]
"""(x, y, z, qx, qy, qz, qw)."""
Triple = tuple[Coordinate, Coordinate, Coordinate]
Short = Annotated[str, Size(0, 200)]
Sentence = Annotated[str, Size(0, 2000)]
Ids = Annotated[tuple[int, ...], Size(0, 1000)]


@dataclass(frozen=True)
class Island:
    """A random pose that the program drew.

    Attributes:
        pose: where.
        size: of the thing for which it asked for room.
    """

    pose: Frame
    size: Triple


@dataclass(frozen=True)
class Thing:
    """Something on the table.

    Attributes:
        file: such as "bowl/bowl.urdf".
        fills: what replaces the fields of a template, such as "DIM".
        pose: where it was added.
        fixed: whether it is part of the table.
        color: (r, g, b) from 0 to 1, a name, or None for the file's own.
        parts: the ids of its beads or crumbs; of a rigid thing its one id.
        corners: of a rope, the two points between which it belongs.
    """

    file: Short
    fills: Annotated[dict[str, tuple[float | str, ...]], Size(0, 20)]
    pose: Frame
    fixed: bool
    color: Annotated[tuple[float, ...], Size(3, 4)] | Short | None
    parts: Ids
    corners: Annotated[tuple[Frame, ...], Size(0, 2)] = ()


@dataclass(frozen=True)
class LegacyGoal:
    """A call of `add_goal`.

    Attributes:
        objs: ids of the items.
        targets: their places.
        matches: row by row, whether an item may go to a target.
        zone: of the metric "zone": whether it was that one.
        sentence: None where the program gave none.
    """

    objs: Ids
    targets: Annotated[tuple[Frame, ...], Size(0, 1000)]
    matches: Annotated[tuple[Annotated[tuple[bool, ...], Size(0, 1000)], ...], Size(0, 1000)]
    zone: bool
    sentence: Sentence | None


@dataclass(frozen=True)
class Recording:
    """One `reset`.

    Attributes:
        things: in the order in which they were added.
        islands: random poses, in the order in which they were drawn.
        goals: in the order in which they are to be met.
    """

    things: Annotated[tuple[Thing, ...], Size(0, 200)]
    islands: Annotated[tuple[Island, ...], Size(0, 500)]
    goals: Annotated[tuple[LegacyGoal, ...], Size(0, 200)]
