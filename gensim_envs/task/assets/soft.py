"""Things of many bodies: ropes and piles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gensim_envs.errors import TaskError
from gensim_envs.task.assets.base import Asset, Part, slab


@dataclass(frozen=True)
class Rope(Asset):
    """A rope of beads, 1.2 cm thick; `length` is 22.8 cm from the first bead's centre to the last
    one's by default, with 20 beads.
    """

    length: float = 0.228
    nouns = ("rope", "cable")
    tumbles = "ball"
    # Beads that neither roll nor swing: a rope lies where it is put.
    friction = 1.0
    rolling_friction = 0.005
    damping = (0.99, 0.9999)
    BEAD: ClassVar[float] = 0.012
    LENGTH: ClassVar[float] = 0.228
    _shortest: ClassVar = {"length": (0.1,)}

    @property
    def bodies(self) -> int:
        return round(self.length / self.BEAD) + 1

    def parts(self) -> tuple[Part, ...]:
        """One bead."""
        return (Part("sphere", (self.BEAD,) * 3, (0, 0, self.BEAD / 2)),)

    mass = 0.005  # of one bead


@dataclass(frozen=True)
class Pile(Asset):
    """A heap of cubic crumbs of 1 cm, 50 by default and at most 80, which are spread over a disc of
    10 cm; moved with the spatula.
    """

    count: int = 50
    nouns = ("pile", "crumb", "heap")
    spread = 0.10
    CRUMB: ClassVar[float] = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        if type(self.count) is not int or not 1 <= self.count <= 80:
            raise TaskError(f"Pile's count is {self.count!r:.60}", "Give 1 to 80 crumbs")

    @property
    def bodies(self) -> int:
        return self.count

    def parts(self) -> tuple[Part, ...]:
        """One crumb."""
        return (slab(self.CRUMB, self.CRUMB, self.CRUMB),)

    mass = 0.002  # of one crumb
