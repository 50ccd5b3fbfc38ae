"""Things of many bodies: ropes and piles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gensim_envs.task.assets.base import Asset, Part, slab


@dataclass(frozen=True)
class Rope(Asset):
    """A rope of 20 beads, 1.2 cm thick; 22.8 cm from the first bead's centre to the last one's."""

    nouns = ("rope", "cable")
    tumbles = "ball"
    bodies = 20
    # Beads that neither roll nor swing: a rope lies where it is put.
    friction = 1.0
    rolling_friction = 0.005
    damping = (0.5, 0.9)
    BEAD: ClassVar[float] = 0.012
    LENGTH: ClassVar[float] = 0.228

    def parts(self) -> tuple[Part, ...]:
        """One bead."""
        return (Part("sphere", (self.BEAD,) * 3, (0, 0, self.BEAD / 2)),)

    mass = 0.005  # of one bead


@dataclass(frozen=True)
class Pile(Asset):
    """A heap of 50 cubic crumbs of 1 cm, spread over a disc of 10 cm; moved with the spatula."""

    nouns = ("pile", "crumb", "heap")
    bodies = 50
    spread = 0.10
    CRUMB: ClassVar[float] = 0.01

    def parts(self) -> tuple[Part, ...]:
        """One crumb."""
        return (slab(self.CRUMB, self.CRUMB, self.CRUMB),)

    mass = 0.002  # of one crumb
