"""Kitchenware and tableware."""

from __future__ import annotations

import numpy as np

from scripts.models.registry import HALF, ROUND, thing
from scripts.models.shapes import (
    CREAM,
    DARK,
    GOLD,
    STEEL,
    WHITE,
    Piece,
    arc,
    box,
    cylinder,
    lathe,
    prism,
    ring,
    rounded_box,
    sweep,
    upright,
)

CORK = (196, 152, 104)


@thing("coffee mug", "train", "red", 0.15)
def coffee_mug() -> list[Piece]:
    """Empty, its floor high enough for a suction cup."""
    wall = ring([(0.026, 0.0), (0.031, 0.0), (0.032, 0.070), (0.027, 0.070)], chunks=6)
    floor = cylinder(0.055, 0.050)
    # Upright inside: agents, who look straight down, would see dark specks of the wall's slope.
    lining = ring([(0.0262, 0.049), (0.029, 0.049), (0.029, 0.0699), (0.0262, 0.0699)])
    handle = sweep(upright(arc(0.020, -100, 100, 9, (0.030, 0.036))), 0.010, chunks=2)
    return [wall, floor, handle.scaled(y=1.2), lining.lining()]


@thing("teapot", "train", "blue", 0.25)
def teapot() -> list[Piece]:
    """Round belly, lid with a flat knob."""
    profile = [(0, 0), (0.022, 0), (0.033, 0.012), (0.036, 0.026), (0.031, 0.042), (0.020, 0.050)]
    body = lathe([*profile, (0.019, 0.054), (0.010, 0.057), (0, 0.057)], 24, chunks=2)
    knob = lathe([(0, 0.054), (0.004, 0.054), (0.009, 0.063), (0.008, 0.067), (0, 0.067)], 12)
    path = [(0.026, 0.016), (0.042, 0.022), (0.049, 0.038), (0.057, 0.048)]
    spout = sweep(upright(np.array(path)), [0.024, 0.017, 0.012, 0.011], chunks=2)
    handle = sweep(upright(arc(0.019, 80, 280, 9, (-0.033, 0.029))), 0.008, 6, chunks=3)
    # Both upright at their edges: from above, slopes would show as dark specks; see the mug.
    lid = lathe([(0, 0.050), (0.0202, 0.050), (0.0202, 0.0542), (0.010, 0.0572), (0, 0.0572)], 24)
    cap = lathe([(0, 0.062), (0.0092, 0.062), (0.0092, 0.067), (0, 0.067)], 12).painted(GOLD)
    return [body, lid.lining(), knob.painted(GOLD), cap.lining(), spout, handle]


@thing("frying pan", "train", "black", 0.15)
def frying_pan() -> list[Piece]:
    """With a fried egg in it, which is where it is flat."""
    floor = cylinder(0.058, 0.006, 0.060)
    wall = ring([(0.026, 0.0), (0.030, 0.0), (0.036, 0.016), (0.033, 0.016)], chunks=6)
    angle = np.arange(14) * (2 * np.pi / 14)
    wobble = 0.020 + 0.003 * np.array([0, 1, 1, 0, -1, 0, 1, 1.5, 1, 0, -1, -1, 0, 0.5])
    white = prism(np.c_[wobble * np.cos(angle), wobble * np.sin(angle)], 0.003).at(z=0.006)
    yolk = lathe([(0, 0.008), (0.009, 0.008), (0.008, 0.011), (0, 0.012)], 12).at(0.002, 0.001)
    handle = sweep([(0.032, 0, 0.012), (0.045, 0, 0.013), (0.078, 0, 0.013)],
                   [0.012, 0.011, 0.015], flatness=0.6)  # fmt: skip
    stub = cylinder(0.008, 0.010, sides=8).at(0.066)
    return [floor, wall, handle, stub, white.painted(WHITE).decoration(),
            yolk.painted((248, 190, 40)).decoration()]  # fmt: skip


@thing("plate", "train", "cyan", 0.12, ROUND)
def plate() -> list[Piece]:
    """A dinner plate with a white middle."""
    profile = [(0, 0), (0.030, 0), (0.034, 0.003), (0.050, 0.011), (0.050, 0.014), (0.033, 0.008)]
    body = lathe([*profile, (0, 0.008)], 28)
    middle = lathe([(0, 0.006), (0.031, 0.006), (0.030, 0.009), (0, 0.009)], 24).painted(WHITE)
    # Upright at its edge, for the view from above; see the mug.
    cover = lathe([(0, 0.008), (0.0304, 0.008), (0.0304, 0.00905), (0, 0.00905)], 24).painted(WHITE)
    rim = ring(
        [(0.028, 0.0), (0.034, 0.003), (0.050, 0.011), (0.050, 0.014), (0.033, 0.008)], 24, chunks=6
    )
    floor = cylinder(0.064, 0.009)
    return [body.colliding_as(floor, rim), middle.decoration(), cover.lining()]


@thing("fork", "train", "gray", 0.04)
def fork() -> list[Piece]:
    """Four tines."""
    handle = prism([(-0.055, -0.006), (-0.010, -0.0025), (0.016, -0.0025), (0.016, 0.0025),
                    (-0.010, 0.0025), (-0.055, 0.006)], 0.005)  # fmt: skip
    palm = prism([(0.013, -0.003), (0.022, -0.011), (0.030, -0.011), (0.030, 0.011),
                  (0.022, 0.011), (0.013, 0.003)], 0.005)  # fmt: skip
    solid = [box(0.028, 0.0032, 0.005).at(0.042, y) for y in (-0.0094, -0.0032, 0.0032, 0.0094)]
    # Each tine and each gap is a little wider than a pixel of the view from above.
    tines = [box(0.028, width, 0.005).at(0.042, side * y) for side in (-1, 1)
             for width, y in ((0.00316, 0.00315), (0.00314, 0.00943))]  # fmt: skip
    return [handle, palm.colliding_as(palm, *solid), *(tine.decoration() for tine in tines)]


@thing("spoon", "train", "gray", 0.04)
def spoon() -> list[Piece]:
    """An oval with a hollow, on a handle."""
    handle = prism([(-0.055, -0.006), (-0.010, -0.0025), (0.022, -0.003), (0.022, 0.003),
                    (-0.010, 0.0025), (-0.055, 0.006)], 0.005)  # fmt: skip
    profile = [(0, 0), (0.6, 0), (1.0, 0.0085), (0.9, 0.0085), (0.55, 0.0058), (0, 0.0055)]
    bowl = lathe(profile, 18).scaled(0.019, 0.013).at(0.038)
    return [handle, bowl]


@thing("table knife", "train", "gray", 0.05)
def table_knife() -> list[Piece]:
    """A steel blade on a black handle."""
    curve = [(0.000, -0.006), (0.040, -0.008), (0.050, -0.006), (0.055, 0.001), (0.054, 0.004)]
    blade = prism([*curve, (0.0, 0.004)], 0.004)
    handle = rounded_box(0.054, 0.012, 0.008, 0.0035).at(-0.027)
    return [blade, handle.painted(DARK)]


@thing("rolling pin", "train", "brown", 0.15, HALF)
def rolling_pin() -> list[Piece]:
    """Lying on a side that is planed flat."""
    roller = lathe([(0, -0.034), (0.014, -0.034), (0.016, -0.032), (0.016, 0.032),
                    (0.014, 0.034), (0, 0.034)], 16)  # fmt: skip
    grip = lathe([(0, 0.034), (0.004, 0.034), (0.004, 0.037), (0.0075, 0.042), (0.0065, 0.053),
                  (0.003, 0.055), (0, 0.055)], 12)  # fmt: skip
    lying = [piece.turned(pitch=90) for piece in (roller, grip, grip.turned(pitch=180))]
    return [lying[0].flat_below(-0.0135), *(piece.painted(CREAM) for piece in lying[1:])]


@thing("saucepan", "test", "red", 0.2)
def saucepan() -> list[Piece]:
    """With its lid on and a black handle."""
    pot = lathe([(0, 0), (0.030, 0), (0.033, 0.004), (0.033, 0.036), (0, 0.036)], 22)
    rim = lathe([(0, 0.035), (0.035, 0.035), (0.035, 0.038), (0, 0.038)], 22).painted(STEEL)
    lid = lathe([(0, 0.037), (0.033, 0.037), (0.031, 0.041), (0.016, 0.046), (0, 0.047)], 22)
    knob = lathe([(0, 0.045), (0.004, 0.045), (0.0085, 0.052), (0.0075, 0.056), (0, 0.056)], 12)
    handle = sweep([(0.031, 0, 0.031), (0.042, 0, 0.033), (0.064, 0, 0.034), (0.076, 0, 0.034)],
                   [0.008, 0.008, 0.012, 0.013], flatness=1.0)  # fmt: skip
    return [pot, lid, rim, *(each.painted(DARK) for each in (knob, handle))]


@thing("salt shaker", "test", "white", 0.08, ROUND)
def salt_shaker() -> list[Piece]:
    """Holes in the top, a band of steel round the neck."""
    body = lathe([(0, 0), (0.022, 0), (0.024, 0.003), (0.018, 0.038), (0, 0.038)], 16)
    band = lathe([(0, 0.036), (0.0195, 0.036), (0.0195, 0.043), (0, 0.043)], 16)
    top = lathe([(0, 0.042), (0.018, 0.042), (0.018, 0.051), (0.014, 0.056), (0, 0.058)], 16)
    holes = [cylinder(0.004, 0.002, sides=6).at(*xy, z) for xy, z in
             [((0.0, 0.0), 0.0568), *((xy, 0.0557) for xy in arc(0.0085, 0, 300, 6))]]  # fmt: skip
    return [body, top, band.painted(STEEL), *(each.painted(DARK).decoration() for each in holes)]
