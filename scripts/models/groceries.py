"""Packaged groceries."""

from __future__ import annotations

import numpy as np

from scripts.models.registry import HALF, ROUND, thing
from scripts.models.shapes import (
    CREAM,
    RED,
    STEEL,
    WHITE,
    Piece,
    arc,
    box,
    circle,
    cylinder,
    dome,
    hull,
    lathe,
    prism,
    ring,
)

CRUST, BROWN, BLUE = (196, 138, 72), (98, 60, 34), (52, 104, 190)


@thing("egg carton", "train", "gray", 0.12, HALF)
def egg_carton() -> list[Piece]:
    """Open, with six eggs."""
    spots = [(x, y) for x in (-0.033, 0.0, 0.033) for y in (-0.0165, 0.0165)]
    tray = box(0.098, 0.064, 0.022, top=(0.106, 0.072))
    eggs = [dome(0.027, 0.027, 0.023, 10, 3).at(x, y, 0.022) for x, y in spots]
    ridges = [box(0.005, 0.072, 0.006).at(x, 0, 0.022) for x in (-0.0165, 0.0165)]
    ridges += [box(0.106, 0.005, 0.006).at(0, 0, 0.022)]
    return [tray, *(each.decoration() for each in ridges),
            *(egg.painted((236, 200, 164)) for egg in eggs)]  # fmt: skip


@thing("soup can", "train", "red", 0.15, ROUND)
def soup_can() -> list[Piece]:
    """A label with a white band, a lid with a ring to pull."""
    label = lathe([(0, 0.004), (0.0285, 0.004), (0.0285, 0.066), (0.020, 0.0735), (0, 0.0735)], 24)
    band = lathe([(0, 0.024), (0.029, 0.024), (0.029, 0.044), (0, 0.044)], 24)
    # A little wider than the band, which would show as white specks from above.
    over = lathe([(0, 0.044), (0.02902, 0.044), (0.02902, 0.066), (0.020, 0.0737), (0, 0.0737)], 24)
    foot = lathe([(0, 0), (0.026, 0), (0.028, 0.005), (0, 0.005)], 24)
    lid = lathe([(0, 0.070), (0.021, 0.070), (0.021, 0.0755), (0.019, 0.0755), (0.019, 0.074),
                 (0, 0.074)], 24)  # fmt: skip
    pull = ring([(0.005, 0), (0.008, 0), (0.008, 0.002), (0.005, 0.002)], 12).at(0.008, z=0.074)
    tab = box(0.012, 0.006, 0.002).at(-0.003, 0, 0.074)
    whole = hull(np.concatenate([each.mesh.vertices for each in (foot, label, lid)]))
    return [
        label.colliding_as(whole), over.lining(), band.painted(WHITE).decoration(),
        *(each.painted(STEEL).decoration() for each in (foot, lid)),
        *(each.painted((110, 114, 120)).decoration() for each in (pull, tab)),
    ]  # fmt: skip


@thing("cereal packet", "train", "green", 0.08)
def cereal_packet() -> list[Piece]:
    """Lying on its back: a title and a picture of a full bowl."""
    body = box(0.105, 0.074, 0.030)
    title = box(0.022, 0.058, 0.002).at(-0.034, 0, 0.029)
    bowl = prism(np.concatenate([arc(0.024, -90, 90, 11)]), 0.002).at(0.016, 0, 0.029)
    flakes = [prism(circle(0.013, 8)[:, :2], 0.0025).at(x, y, 0.029) for x, y in
              ((0.012, -0.014), (0.012, 0.0), (0.012, 0.014), (0.004, -0.007), (0.004, 0.007))
              ]  # fmt: skip
    return [
        body, title.painted(WHITE).decoration(), bowl.painted(WHITE).decoration(),
        *(each.painted((232, 150, 40)).decoration() for each in flakes),
    ]  # fmt: skip


@thing("milk carton", "test", "white", 0.12)
def milk_carton() -> list[Piece]:
    """With a gable and a blue band."""
    side, eave, ridge = 0.048, 0.060, 0.078
    body = box(side, side, eave)
    roof = box(side, side, ridge - eave, top=(side, 0.014)).at(z=eave)
    seam = box(side, 0.011, 0.003).at(z=ridge)
    band = box(side + 0.001, side + 0.001, 0.024).at(z=0.014)
    # A little wider than the band, which would show as blue specks from above.
    wide = side + 0.00104
    over = box(wide, wide, eave - 0.038).at(z=0.038)
    gable = box(wide, wide, ridge - eave, top=(wide, 0.0142)).at(z=eave)
    cap = cylinder(0.014, 0.006, sides=12).turned(roll=-43).at(0, 0.012, 0.0695)
    return [
        body, roof, over.lining(), gable.lining(), seam.painted(BLUE),
        band.painted(BLUE).decoration(), cap.painted(RED).decoration(),
    ]  # fmt: skip


@thing("wine bottle", "train", "green", 0.15)
def wine_bottle() -> list[Piece]:
    """Lying, with a label and a foil."""
    glass = [(0, -0.055), (0.015, -0.055), (0.016, -0.053), (0.016, 0.010), (0.012, 0.021)]
    glass += [(0.0065, 0.029), (0.0060, 0.050), (0, 0.050)]
    body = lathe(glass, 18, chunks=(5,))
    label = lathe([(0, -0.038), (0.0166, -0.038), (0.0166, -0.006), (0, -0.006)], 18)
    foil = lathe([(0, 0.036), (0.0070, 0.036), (0.0070, 0.053), (0.0078, 0.053), (0.0078, 0.056),
                  (0, 0.056)], 12)  # fmt: skip
    lying = [body, label.painted(CREAM).decoration(), foil.painted(RED)]
    return [piece.turned(pitch=90).flat_below(-0.0135) for piece in lying]


@thing("water bottle", "test", "blue", 0.12)
def water_bottle() -> list[Piece]:
    """Lying, waisted, with a wide white cap."""
    plastic = [(0, -0.053), (0.016, -0.053), (0.018, -0.050), (0.018, -0.022), (0.0145, -0.014)]
    plastic += [(0.0145, -0.008), (0.018, 0.0), (0.018, 0.022), (0.010, 0.035), (0, 0.036)]
    body = lathe(plastic, 18, chunks=(4, 5))
    label = lathe([(0, -0.046), (0.0186, -0.046), (0.0186, -0.026), (0, -0.026)], 18)
    cap = lathe([(0, 0.034), (0.0105, 0.034), (0.0105, 0.050), (0.0065, 0.051), (0.0065, 0.057),
                 (0, 0.057)], 14)  # fmt: skip
    lying = [body, label.painted((150, 205, 240)).decoration(), cap.painted(WHITE)]
    return [piece.turned(pitch=90).flat_below(-0.0155) for piece in lying]
