"""Tools and other hand-held objects."""

from __future__ import annotations

import numpy as np

from scripts.models.registry import HALF, thing
from scripts.models.shapes import (
    DARK,
    RED,
    STEEL,
    WHITE,
    Piece,
    arc,
    box,
    circle,
    cylinder,
    flat,
    hull,
    lathe,
    prism,
    ring,
    rounded_box,
    skin,
    sweep,
)


@thing("hammer", "train", "brown", 0.12)
def hammer() -> list[Piece]:
    """Lying, with a claw."""
    section = arc(0.54, 22.5, 337.5, 8)
    handle = skin([np.c_[np.full(8, x), section * (w, 0.013) + (0, 0.0065)] for x, w in
                   ((-0.058, 0.016), (-0.030, 0.017), (0.0, 0.012), (0.052, 0.012))])  # fmt: skip
    head = box(0.017, 0.026, 0.017).at(0.046, 0.0, 0.0)
    face = cylinder(0.018, 0.018, sides=12).turned(roll=90).at(0.046, -0.011, 0.009)
    claw = prism([(0.038, 0.012), (0.0545, 0.012), (0.053, 0.022), (0.044, 0.033), (0.040, 0.033),
                  (0.043, 0.022)], 0.014).at(z=0.0015)  # fmt: skip
    return [handle.flat_below(0.0), *(each.painted(STEEL) for each in (head, face, claw))]


@thing("screwdriver", "test", "purple", 0.06)
def screwdriver() -> list[Piece]:
    """Lying, with a fluted handle and a flat tip."""
    flutes = np.tile([1.0, 0.86], 8)[:, None]
    sections = [(-0.056, 0.008), (-0.053, 0.0115), (-0.020, 0.0125), (-0.006, 0.0095),
                (0.002, 0.0075), (0.006, 0.0085), (0.008, 0.006)]  # fmt: skip
    rings = [np.c_[np.full(16, x), circle(2 * r, 16)[:, :2] * flutes] for x, r in sections]
    handle = skin(rings, chunks=2).turned(roll=22.5)  # it lies on two ridges
    shaft = cylinder(0.006, 0.042, sides=10).turned(pitch=90).at(0.006)
    tip = hull([(0.046, -0.003, -0.003), (0.046, 0.003, -0.003), (0.046, -0.003, 0.003),
                (0.046, 0.003, 0.003), (0.056, -0.0045, -0.0015), (0.056, 0.0045, -0.0015),
                (0.056, -0.0045, 0.0015), (0.056, 0.0045, 0.0015)])  # fmt: skip
    # Lying on the handle and the tip.
    pieces = [handle, shaft.painted(STEEL), tip.painted(STEEL)]
    return [piece.turned(pitch=5.5).flat_below(-0.0080) for piece in pieces]


@thing("wrench", "train", "gray", 0.08)
def wrench() -> list[Piece]:
    """An open end and a closed one."""
    shank = box(0.068, 0.013, 0.008)
    jaw = np.concatenate([arc(0.018, 205, 318, 7), [(0.006, -0.008), (-0.003, -0.008)],
                          [(-0.003, 0.008), (0.006, 0.008)], arc(0.018, 42, 155, 7)])  # fmt: skip
    open_end = prism(jaw, 0.011).turned(yaw=15).at(0.042)
    angle = np.radians(np.arange(12) * 30)
    rings = [
        np.array(
            [
                (r * np.cos(a), r * np.sin(a), z)
                for r, z in ((0.0075, 0), (0.0145, 0), (0.0145, 0.011), (0.0075, 0.011))
            ]
        )
        for a in angle
    ]
    closed_end = skin(rings, chunks=4, closed=True).at(-0.044)
    return [shank.at(z=0.0015), open_end, closed_end]


@thing("scissors", "test", "orange", 0.05)
def scissors() -> list[Piece]:
    """A little open."""

    def half(side: int, z: float) -> list[Piece]:
        blade = prism([(-0.006, -0.005), (0.012, -0.006), (0.056, -0.001), (0.056, 0.001),
                       (0.010, 0.005), (-0.006, 0.005)], 0.004)  # fmt: skip
        shank = hull([(x, y, z) for x, y in ((-0.004, -0.005), (-0.004, 0.005), (-0.024, 0.002),
                                             (-0.022, 0.011)) for z in (0, 0.006)])  # fmt: skip
        loop = ring([(0.010, 0.0), (0.0158, 0.0), (0.0158, 0.008), (0.010, 0.008)], 16, chunks=4)
        loop = loop.scaled(x=1.25).turned(yaw=-12).at(-0.037, 0.0135)
        pieces = [blade.at(z=z).painted(STEEL), shank.at(z=0.001), loop]
        return [piece.scaled(y=side).turned(yaw=-9 * side) for piece in pieces]

    pin = cylinder(0.007, 0.009, sides=10).painted(DARK).decoration()
    return [*half(1, 0.0), *half(-1, 0.004), pin]


@thing("flashlight", "train", "blue", 0.10)
def flashlight() -> list[Piece]:
    """Lying on its head's rim and its tail."""
    body = lathe([(0, -0.056), (0.011, -0.056), (0.012, -0.054), (0.012, 0.014), (0, 0.014)], 16)
    head = lathe([(0, 0.012), (0.012, 0.012), (0.019, 0.030), (0.019, 0.052), (0.016, 0.052),
                  (0.016, 0.049), (0, 0.049)], 16)  # fmt: skip
    lens = cylinder(0.033, 0.002, sides=16).at(z=0.0485)
    grip = [cylinder(0.0255, 0.004, sides=16).at(z=z) for z in (-0.046, -0.036, -0.026, -0.016)]
    switch = rounded_box(0.008, 0.006, 0.005, 0.002, 1).at(z=0.010)
    pieces = [body, head, lens.painted((255, 240, 170)).decoration(),
              *(each.painted(DARK).decoration() for each in grip)]  # fmt: skip
    lying = [piece.turned(pitch=90) for piece in pieces]
    lying.append(switch.at(0.0, 0, 0.0).painted(RED).decoration())
    return [piece.turned(pitch=-3.7).flat_below(-0.0148) for piece in lying]


@thing("padlock", "train", "yellow", 0.10)
def padlock() -> list[Piece]:
    """Lying on its back, locked."""
    body = rounded_box(0.056, 0.058, 0.020, 0.004)
    curve = np.concatenate([[(0.0, -0.016)], arc(0.016, -90, 90, 9, (0.036, 0)), [(0.0, 0.016)]])
    shackle = sweep(flat(curve, 0.010), 0.0095, 8, chunks=5)
    hole = cylinder(0.011, 0.002, sides=12).at(0.004, 0, 0.019)
    slot = prism([(-0.014, -0.004), (0.004, -0.002), (0.004, 0.002), (-0.014, 0.004)], 0.002)
    return [body, shackle.painted(STEEL), hole.painted(DARK).decoration(),
            slot.at(z=0.019).painted(DARK).decoration()]  # fmt: skip


@thing("door key", "train", "gray", 0.04)
def door_key() -> list[Piece]:
    """A bow like a clover leaf, a shaft, two teeth."""
    lobe = ring([(0.006, 0.0), (0.0125, 0.0), (0.0125, 0.007), (0.006, 0.007)], 12)
    lobe = lobe.colliding_as(cylinder(0.025, 0.007))
    lobes = [lobe.at(-0.036 + x, y) for x, y in ((-0.008, 0.0), (0.006, -0.0115), (0.006, 0.0115))]
    shaft = box(0.080, 0.007, 0.007).at(0.012)
    collar = box(0.005, 0.012, 0.007).at(-0.012)
    teeth = [box(0.007, 0.016, 0.007).at(0.047, -0.010), box(0.007, 0.012, 0.007).at(0.034, -0.008)]
    return [shaft, collar.decoration(), *teeth, *lobes]


@thing("magnifying glass", "test", "purple", 0.05)
def magnifying_glass() -> list[Piece]:
    """Lying flat."""
    frame = ring([(0.0245, 0.0), (0.031, 0.0), (0.031, 0.010), (0.0245, 0.010)], 24, chunks=4)
    lens = lathe([(0, 0.003), (0.026, 0.003), (0.026, 0.005), (0.012, 0.0075), (0, 0.008)], 20)
    handle = lathe([(0, 0.028), (0.005, 0.028), (0.0055, 0.038), (0.0068, 0.044), (0.0068, 0.074),
                    (0.005, 0.077), (0, 0.077)], 12)  # fmt: skip
    handle = handle.turned(pitch=90).at(z=0.0058).flat_below(0.0)
    disc = cylinder(0.052, 0.0075)
    return [frame, handle, lens.painted((145, 175, 235)).colliding_as(disc)]


@thing("paintbrush", "train", "cyan", 0.04)
def paintbrush() -> list[Piece]:
    """A flat brush with paint on its bristles."""
    handle = prism([(-0.056, -0.004), (-0.050, -0.0065), (-0.020, -0.005), (0.002, -0.016),
                    (0.012, -0.018), (0.012, 0.018), (0.002, 0.016), (-0.020, 0.005),
                    (-0.050, 0.0065), (-0.056, 0.004)], 0.011)  # fmt: skip
    ferrule = box(0.014, 0.039, 0.012).at(0.017)
    bristles = hull([(x, y, z) for x, y, low, high in
                     ((0.022, 0.0185, 0.0, 0.011), (0.054, 0.0165, 0.001, 0.007))
                     for y in (-y, y) for z in (low, high)])  # fmt: skip
    wet = hull([(x, y, z) for x, y, low, high in
                ((0.042, 0.0182, 0.0, 0.0098), (0.056, 0.0165, 0.001, 0.0075))
                for y in (-y, y) for z in (low, high)])  # fmt: skip
    return [handle, ferrule.painted(STEEL), bristles.painted((70, 56, 44)),
            wet.painted(RED).decoration()]  # fmt: skip


@thing("dumbbell", "train", "black", 0.25, HALF)
def dumbbell() -> list[Piece]:
    """Six-sided weights on a steel bar."""
    ends = [(0.024, 0.030), (0.028, 0.040), (0.046, 0.040), (0.050, 0.032)]
    weight = skin([np.c_[np.full(6, x), circle(d, 6)[:, :2] @ [(0, 1), (-1, 0)]] for x, d in ends])
    bar = cylinder(0.016, 0.052, sides=12).turned(pitch=90).at(-0.026)
    weight = weight.turned(roll=30)
    return [weight, weight.turned(yaw=180), bar.painted(STEEL)]


@thing("toothbrush", "test", "pink", 0.03)
def toothbrush() -> list[Piece]:
    """Bristles up."""
    outline = [(-0.056, 0.0), (-0.054, -0.005), (-0.046, -0.0065), (-0.014, -0.0055),
               (0.012, -0.003), (0.027, -0.003), (0.032, -0.0065),
               (0.053, -0.0065), (0.057, -0.003)]  # fmt: skip
    handle = prism([*outline, *((x, -y) for x, y in outline[:0:-1])], 0.006)
    bristles = box(0.023, 0.0115, 0.010).at(0.0425, 0, 0.006)
    stripe = box(0.020, 0.0115, 0.011).at(0.0425, 0, 0.006)
    stripe = stripe.scaled(x=1.0, y=0.35)
    grip = [box(0.004, 0.009, 0.002).at(x, 0, 0.005) for x in (-0.042, -0.034, -0.026)]
    return [handle, bristles.painted(WHITE), stripe.painted((90, 190, 220)).decoration(),
            *(each.painted(WHITE).decoration() for each in grip)]  # fmt: skip


@thing("comb", "test", "orange", 0.03)
def comb() -> list[Piece]:
    """Thirteen teeth under a round back, all wider than a pixel of the view from above."""
    back = prism([(-0.052, 0.002), (0.052, 0.002), (0.050, 0.010), (0.040, 0.0145),
                  (-0.040, 0.0145), (-0.050, 0.010)], 0.006)  # fmt: skip
    ends = [box(0.006, 0.024, 0.006).at(s * 0.049, -0.010) for s in (-1, 1)]
    xs = np.arange(-5, 6) * 0.008
    teeth = [hull([(x + dx * w, y, z) for y, w in ((0.003, 1.0), (-0.022, 0.9)) for dx in
                   (-0.002, 0.002) for z in (0.001, 0.005)]) for x in xs]  # fmt: skip
    between = box(0.098, 0.026, 0.005).at(0, -0.009)
    return [
        back,
        *ends,
        *(tooth.decoration() for tooth in teeth[1:]),
        teeth[0].colliding_as(between),
    ]
