"""Poses on the table: metres, radians, z up."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

from gensim_envs.utils.decode import Range, Using, decode

WORKSPACE = ((0.25, 0.75), (-0.5, 0.5))
"""Bounds of the table that a task may use, ((x low, x high), (y low, y high)), metres."""


def wrap(angle: float, period: float = math.tau) -> float:
    """Return the angle nearest to zero that equals `angle` modulo `period`, both in radians.

    A period of 0 means that every angle is the same one (a ball), so the result is 0.
    """
    if period == 0:
        return 0.0
    return (angle + period / 2) % period - period / 2


@dataclass(frozen=True, slots=True)
class Pose:
    """Where an item stands: the centre of its footprint, its underside and its heading.

    Poses compose with `@`: `stand.pose @ Pose(0.05, 0)` is 5 cm along the stand's own x axis.

    Attributes:
        x: metres, away from the robot.
        y: metres, to the robot's left.
        z: height of the item's underside, metres; the table top is 0.
        yaw: turn about the vertical, radians.
        owner: what this pose was computed from, kept through `@`: index of a fixed item, or
            -1 - n for the n-th pattern.
    """

    x: float
    y: float
    z: float = 0.0
    yaw: float = 0.0
    owner: int | None = field(default=None, compare=False)

    def __matmul__(self, other: Pose) -> Pose:
        c, s = math.cos(self.yaw), math.sin(self.yaw)
        return Pose(
            self.x + c * other.x - s * other.y,
            self.y + s * other.x + c * other.y,
            self.z + other.z,
            self.yaw + other.yaw,
            self.owner,
        )

    def inverse(self) -> Pose:
        """The pose p for which `self @ p` is the origin."""
        c, s = math.cos(self.yaw), math.sin(self.yaw)
        return Pose(-c * self.x - s * self.y, s * self.x - c * self.y, -self.z, -self.yaw)

    def up(self, height: float) -> Pose:
        """The same pose, `height` metres higher."""
        return replace(self, z=self.z + height)

    def turned(self, angle: float) -> Pose:
        """The same place, turned by `angle` radians."""
        return replace(self, yaw=self.yaw + angle)

    def distance(self, other: Pose) -> float:
        """Distance in the plane, metres."""
        return math.hypot(self.x - other.x, self.y - other.y)


MAX_POSE = 100.0
"""No coordinate or angle of a pose is beyond this, metres or radians."""
_Coordinate = Annotated[float, Range(-MAX_POSE, MAX_POSE)]


@dataclass(frozen=True)
class _Coordinates:
    x: _Coordinate
    y: _Coordinate
    z: _Coordinate
    yaw: _Coordinate
    owner: Literal[None] = None


def _read_pose(data: Any) -> Pose:
    found = decode(_Coordinates, data)
    return Pose(found.x, found.y, found.z, found.yaw)


PoseField = Annotated[Pose, Using(_read_pose)]
"""A pose as a field of data that are read from JSON; it has no owner there."""
