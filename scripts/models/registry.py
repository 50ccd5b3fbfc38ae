"""The registry of objects: names, sizes and materials."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from scripts.models.shapes import Piece

ROUND, HALF, WHOLE = 0.0, math.pi, math.tau
"""Turned by this about the vertical it looks the same; 0 is any turn."""


@dataclass(frozen=True)
class Thing:
    """An object of the catalogue.

    Attributes:
        kind: its folder, the name of the function that models it.
        noun: by which a sentence calls it.
        split: "train" is seen, "test" unseen.
        color: that its main part has by default, a name of `gensim_envs.task.assets.COLORS`.
        mass: kilograms, an estimate for a toy of this size.
        symmetry: yaw period in radians, 0 for any turn.
        model: returns its pieces, in any frame with z up.
    """

    kind: str
    noun: str
    split: Literal["train", "test"]
    color: str
    mass: float
    symmetry: float
    model: Callable[[], Sequence[Piece]]


THINGS: dict[str, Thing] = {}
"""By kind, in the order of their modules."""


def thing(
    noun: str,
    split: Literal["train", "test"],
    color: str,
    mass: float,
    symmetry: float = WHOLE,
) -> Callable[[Callable[[], Sequence[Piece]]], Callable[[], Sequence[Piece]]]:
    """Enters the function that models an object."""

    def enter(model: Callable[[], Sequence[Piece]]) -> Callable[[], Sequence[Piece]]:
        kind = model.__name__
        THINGS[kind] = Thing(kind, noun, split, color, mass, symmetry, model)
        return model

    return enter
