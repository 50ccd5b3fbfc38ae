"""Things that hold other things: on them, in them or around them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import shapely

from gensim_envs.errors import TaskError
from gensim_envs.task.assets.base import Asset, Part, Slot, slab
from gensim_envs.task.assets.solids import Disk, ell_outline
from gensim_envs.task.geometry import disc, rectangle
from gensim_envs.task.pose import Pose


@dataclass(frozen=True)
class Bowl(Asset):
    """A round bowl: 12 cm across at the rim, 8.8 cm at the floor, 4 cm high."""

    nouns = ("bowl",)
    hollow = True

    symmetry = 0.0

    mass = 0.2

    @property
    def opening(self) -> shapely.Polygon:
        return disc(0.056)

    def parts(self) -> tuple[Part, ...]:
        return (
            Part("cylinder", (0.088, 0.088, 0.005), (0, 0, 0.0025), shade=0.8),
            Part("tube", (0.088, 0.004, 0.04), (0, 0, 0.02), flare=0.016),
        )


@dataclass(frozen=True)
class Container(Asset):
    """An open box with walls and floor of 5 mm; `extents` are the outer ones, 20 x 16 x 6 cm if
    not said. Fixed unless added with `fixed=False`.
    """

    extents: tuple[float, float, float] = (0.20, 0.16, 0.06)
    nouns = ("container", "tray", "bin", "crate")
    fixed = True
    hollow = True
    WALL: ClassVar[float] = 0.005
    _shortest: ClassVar = {"extents": (4 * WALL, 4 * WALL, 2 * WALL)}

    mass = 0.3

    @property
    def opening(self) -> shapely.Polygon:
        x, y = (side / 2 - self.WALL for side in self.extents[:2])
        return rectangle(x, y)

    def parts(self) -> tuple[Part, ...]:
        x, y, z = self.extents
        t = self.WALL
        return (
            slab(x, y, t, shade=0.8),
            *(slab(t, y, z, center=(s * (x - t) / 2, 0, z / 2)) for s in (-1, 1)),
            *(slab(x - 2 * t, t, z, center=(0, s * (y - t) / 2, z / 2)) for s in (-1, 1)),
        )


@dataclass(frozen=True)
class Stand(Asset):
    """A low solid platform: 17 x 6 x 1.5 cm by default; fixed to the table."""

    extents: tuple[float, float, float] = (0.17, 0.06, 0.015)
    nouns = ("stand", "platform", "base")
    flat_top = True
    fixed = True

    mass = 0.3

    def parts(self) -> tuple[Part, ...]:
        return (slab(*self.extents),)


@dataclass(frozen=True)
class Pallet(Asset):
    """A slatted pallet; `extents` are 24 x 18 x 2 cm by default; fixed to the table."""

    extents: tuple[float, float, float] = (0.24, 0.18, 0.02)
    nouns = ("pallet",)
    flat_top = True
    fixed = True
    _shortest: ClassVar = {"extents": (0.1, 0.1, 0.01)}

    symmetry = math.pi

    def parts(self) -> tuple[Part, ...]:
        x, y, z = self.extents
        slats = tuple(
            slab(x, y / 6, 0.4 * z, center=(0, share * y, 0.8 * z))
            for share in (-5 / 12, -5 / 24, 0, 5 / 24, 5 / 12)
        )
        runners = tuple(
            slab(x / 8, y, 0.6 * z, center=(share * x, 0, 0.3 * z), shade=0.7)
            for share in (-7 / 16, 0, 7 / 16)
        )
        return slats + runners


@dataclass(frozen=True)
class PegStand(Asset):
    """The Tower of Hanoi's board, 36 x 12 x 1 cm, with a light, a middle and a dark peg 12 cm apart
    along its own x axis, 1.2 cm thick and 8 cm high. `peg(k, level)` is where a disk of peg k
    (0, 1, 2) lies that has `level` disks below it.
    """

    nouns = ("peg", "board")
    fixed = True
    hollow = True
    PITCH: ClassVar[float] = 0.12
    BOARD: ClassVar[float] = 0.01

    def peg(self, index: int, level: int = 0) -> Pose:
        """Where a disk lies, in the stand's frame."""
        if index not in (0, 1, 2) or level not in (0, 1, 2):
            raise TaskError(
                f"there is no peg {index!r:.60} with level {level!r:.60}", "Both are 0, 1 or 2"
            )
        return Pose((index - 1) * self.PITCH, 0, self.BOARD + level * Disk.THICKNESS)

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The feet of its pegs: 1 for the light one, 2 for the middle one, 3 for the dark one."""
        return tuple(Slot(self.peg(k), k + 1) for k in range(3))

    def parts(self) -> tuple[Part, ...]:
        pegs: list[Part] = []
        for k, gray in enumerate((235, 140, 45)):
            x, paint = self.peg(k).x, (gray, gray, gray)
            # A round tip lets a disk that is a few millimetres off slide on.
            pegs.append(Part("cylinder", (0.012, 0.012, 0.08), (x, 0, 0.05), paint=paint))
            pegs.append(Part("sphere", (0.012, 0.012, 0.012), (x, 0, 0.09), paint=paint))
        return (slab(0.36, 0.12, self.BOARD), *pegs)


@dataclass(frozen=True)
class Fixture(Asset):
    """A low wall round an L-shaped hole that fits an `Ell` of the same pose with 3 mm to spare.

    The walls are 2 cm high and lean outwards by 35 degrees, as a chamfer does for a real
    insertion: an ell that is let go a few millimetres off slides in.
    """

    nouns = ("fixture",)
    fixed = True
    hollow = True
    shows_heading = True
    fits = True
    friction = 0.1
    GAP: ClassVar[float] = 0.003
    HEIGHT: ClassVar[float] = 0.02
    LEAN: ClassVar[float] = math.radians(35)
    THICKNESS: ClassVar[float] = 0.004

    @property
    def slots(self) -> tuple[Slot, ...]:
        """Its hole."""
        return (Slot(Pose(0, 0)),)

    def parts(self) -> tuple[Part, ...]:
        gap, height, lean, thick = self.GAP, self.HEIGHT, self.LEAN, self.THICKNESS
        room = gap + math.tan(lean) * height
        corners = ell_outline()
        walls = []
        notch = corners[3]  # of the L
        for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            along = (b - a) / np.linalg.norm(b - a)
            # There each wall ends behind the other one. It would reach into the hole otherwise.
            a, b = a + room * along * (a == notch).all(), b - room * along * (b == notch).all()
            outwards = np.array([along[1], -along[0]])
            # Middle of a leaning wall whose inner lower edge is `gap` outside the ell.
            middle = (a + b) / 2 + outwards * (
                gap + math.tan(lean) * height / 2 + thick / 2 / math.cos(lean)
            )
            length = float(np.linalg.norm(b - a))
            walls.append(
                Part(
                    "box",
                    (length, thick, height / math.cos(lean)),
                    (float(middle[0]), float(middle[1]), height / 2),
                    tilt=(lean, 0.0, math.atan2(along[1], along[0])),
                    seen=False,
                )
            )
        # Walls of boxes alone would leave the corners open.
        look = Part("mesh", (0.0, 0.0, height), (0, 0, 0), mesh="fixture", solid=False)
        return (*walls, look)
