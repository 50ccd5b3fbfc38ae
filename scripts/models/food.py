"""Things to eat, and what they come in."""

from __future__ import annotations

import numpy as np

from scripts.models.registry import HALF, QUARTER, ROUND, thing
from scripts.models.shapes import (
    CREAM, DARK, GOLD, LEAF, RED, STEEL, WHITE, WOOD, Piece, arc, ball, box, circle, cylinder, dome,
    flat, hull, lathe, prism, ring, rounded_box, skin, sweep, upright,
)  # fmt: skip

CRUST, BREAD, BROWN = (196, 138, 72), (214, 164, 96), (98, 60, 34)


@thing("banana", "train", "yellow", 0.08)
def banana() -> list[Piece]:
    """Lying on its side, bent by a third of a circle."""
    path = flat(arc(0.055, 30, 150, 13, (0, -0.03)), 0.013)
    widths = [0.009, 0.016, 0.022, 0.025, 0.027, 0.028, 0.028, 0.028, 0.027, 0.025, 0.021, 0.015, 0.009]
    body = sweep(path, widths, 6, chunks=4).flat_below(0.002)
    stalk = sweep(flat(arc(0.055, 146, 163, 4, (0, -0.03)), 0.013), [0.010, 0.008, 0.008, 0.009], 6)
    tip = sweep(flat(arc(0.055, 26, 31, 3, (0, -0.03)), 0.013), [0.006, 0.009, 0.0095], 6)
    return [body, stalk.painted((110, 120, 50)), tip.painted(BROWN)]


@thing("apple", "train", "red", 0.12)
def apple() -> list[Piece]:
    """With a stalk and a leaf."""
    profile = [(0, 0.004), (0.010, 0), (0.022, 0.006), (0.032, 0.022), (0.034, 0.036), (0.030, 0.050),
               (0.020, 0.057), (0.010, 0.056), (0, 0.050)]
    body = lathe(profile, 18)
    stalk = sweep(upright(np.array([(0, 0.048), (0, 0.056), (0.004, 0.066)])), [0.003, 0.003, 0.004], 6)
    leaf = prism([(0, 0), (0.010, -0.006), (0.024, 0), (0.010, 0.006)], 0.002).turned(pitch=-15, yaw=160)
    return [body, stalk.painted(BROWN).decoration(), leaf.at(0, 0, 0.058).painted(LEAF).decoration()]
