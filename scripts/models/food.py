"""Food."""

from __future__ import annotations

import math

import numpy as np

from scripts.models.registry import HALF, ROUND, thing
from scripts.models.shapes import (
    CREAM,
    DARK,
    GOLD,
    LEAF,
    RED,
    WHITE,
    Array,
    Piece,
    arc,
    ball,
    box,
    cylinder,
    dome,
    flat,
    hull,
    lathe,
    prism,
    ring,
    skin,
    sweep,
)

CRUST, BROWN, BLUE = (196, 138, 72), (98, 60, 34), (52, 104, 190)


def _around(count: int, radius: float, start: float = 0.0) -> Array:
    """Points (count, 2) evenly round a circle."""
    return arc(radius, start, start + 360 * (count - 1) / count, count)


@thing("banana", "train", "yellow", 0.08)
def banana() -> list[Piece]:
    """Lying on its side, bent by a third of a circle."""

    def bend(start: float, end: float, count: int) -> Array:
        return flat(arc(0.055, start, end, count, (0, -0.03)))

    widths = np.array([9, 16, 22, 25, 27, 28, 28, 28, 27, 25, 21, 15, 9]) / 1000
    # As high above the table as it is thick: it lies on its whole length.
    path = bend(30, 150, 13) + np.c_[np.zeros((13, 2)), 0.40 * widths]
    body = sweep(path, widths, 6, chunks=4).flat_below(0.0)
    stalk = sweep(bend(146, 163, 4), [0.010, 0.008, 0.008, 0.009], 6).at(z=0.005)
    tip = sweep(bend(26, 31, 3), [0.006, 0.009, 0.0095], 6).at(z=0.004)
    return [body, stalk.painted((110, 120, 50)), tip.painted(BROWN)]


@thing("apple", "train", "red", 0.12)
def apple() -> list[Piece]:
    """With a stalk and a leaf."""
    profile = [(0, 0.004), (0.010, 0), (0.022, 0.006), (0.032, 0.022), (0.034, 0.036)]
    profile += [(0.030, 0.050), (0.020, 0.057), (0.010, 0.057), (0, 0.055)]
    stalk = sweep([(0, 0, 0.048), (0, 0, 0.056), (0.004, 0, 0.064)], [0.003, 0.003, 0.004], 6)
    leaf = prism([(0, 0), (0.010, -0.006), (0.024, 0), (0.010, 0.006)], 0.002)
    leaf = leaf.turned(pitch=-15, yaw=160).at(z=0.058)
    return [lathe(profile, 18), stalk.painted(BROWN).decoration(), leaf.painted(LEAF).decoration()]


@thing("pear", "train", "green", 0.10)
def pear() -> list[Piece]:
    """Lying on its side."""
    profile = [(0, 0), (0.012, 0.001), (0.024, 0.010), (0.028, 0.024), (0.024, 0.038)]
    profile += [(0.016, 0.052), (0.013, 0.064), (0.008, 0.072), (0, 0.073)]
    body = lathe(profile, 16, chunks=2).turned(pitch=110)
    stalk = sweep([(0, 0, 0.070), (0, 0, 0.079), (0.004, 0, 0.086)], 0.004, 6).turned(pitch=110)
    return [piece.flat_below(-0.032) for piece in (body, stalk.painted(BROWN).decoration())]


@thing("strawberry", "test", "red", 0.04)
def strawberry() -> list[Piece]:
    """Lying, with seeds and a star of leaves."""
    profile = [(0, -0.028), (0.006, -0.026), (0.014, -0.014), (0.021, 0.004), (0.021, 0.014)]
    body = lathe([*profile, (0.014, 0.022), (0, 0.024)], 14).turned(pitch=90)
    seed = ball(0.0035, 0.0022, 0.0025, 6, 2)
    spots = [(x, a) for x, count in ((-0.013, 5), (-0.003, 7), (0.008, 7)) for a in
             np.linspace(-70, 70, count)]  # fmt: skip
    seeds = [seed.at(z=_radius(x, profile)).turned(roll=a).at(x) for x, a in spots]
    leaf = hull([(0.002, 0, 0), (0, 0.007, 0.012), (0, -0.007, 0.012), (-0.011, 0, 0.023),
                 (0.004, 0, 0.010)])  # fmt: skip
    leaves = [leaf.turned(roll=60 * k).at(0.023) for k in range(6)]
    stalk = cylinder(0.004, 0.010, sides=6).turned(pitch=90).at(0.022)
    green = [piece.painted(LEAF).decoration() for piece in (*leaves, stalk)]
    lying = [body, *(piece.painted(GOLD).decoration() for piece in seeds), *green]
    return [piece.turned(pitch=-20).flat_below(-0.0165) for piece in lying]


def _radius(z: float, profile: list[tuple[float, float]]) -> float:
    radii, heights = np.transpose(profile)
    return float(np.interp(z, heights, radii))


@thing("carrot", "test", "orange", 0.06)
def carrot() -> list[Piece]:
    """Lying, with its greens."""
    profile = [(0, -0.050), (0.003, -0.048), (0.009, -0.020), (0.014, 0.010), (0.016, 0.024)]
    root = lathe([*profile, (0.012, 0.030), (0, 0.030)], 12).turned(pitch=90)
    root = root.turned(pitch=-10).flat_below(-0.0105)
    leaf = prism([(0, -0.002), (0.012, -0.003), (0.024, -0.008), (0.036, 0), (0.024, 0.008),
                  (0.012, 0.003), (0, 0.002)], 0.004)  # fmt: skip
    leaves = [leaf.turned(yaw=a).at(0.028, z=z - 0.004) for a, z in
              ((-28, 0.0), (0, 0.002), (28, 0.001))]  # fmt: skip
    return [root, *(each.painted(LEAF).decoration() for each in leaves)]


@thing("mushroom", "test", "red", 0.04, ROUND)
def mushroom() -> list[Piece]:
    """A toadstool with white spots."""
    profile = [(0, 0.026), (0.030, 0.022), (0.034, 0.027), (0.030, 0.040), (0.020, 0.050)]
    cap = lathe([*profile, (0.010, 0.054), (0, 0.055)], 20)
    stalk = lathe([(0, 0), (0.016, 0), (0.013, 0.010), (0.011, 0.028), (0, 0.028)], 14)
    spots = [dome(0.012, 0.012, 0.002, 7, 2).at(z=0.0542)]
    for count, radius, z, lean in ((5, 0.0185, 0.0505, 32), (7, 0.0300, 0.0392, 55)):
        spot = dome(0.010, 0.010, 0.002, 7, 1).turned(pitch=lean).at(radius, z=z)
        spots += [spot.turned(yaw=360 * k / count) for k in range(count)]
    return [cap, stalk.painted(CREAM), *(spot.painted(WHITE).decoration() for spot in spots)]


@thing("watermelon slice", "test", "red", 0.08)
def watermelon_slice() -> list[Piece]:
    """Half a round, lying flat."""

    def half(radius: float, height: float) -> Piece:
        # Each stands out from the one around it, on the cut side too.
        cut = (height - 0.016) / 2
        return prism([(radius, -cut), *arc(radius, 0, 180, 15), (-radius, -cut)], height)

    seeds = [ball(0.006, 0.0035, 0.003, 6, 2).turned(yaw=a).at(*xy, 0.0182)
             for r, count in ((0.014, 2), (0.027, 4))
             for xy, a in zip(arc(r, 25, 155, count), np.linspace(25, 155, count), strict=True)
             ]  # fmt: skip
    return [
        half(0.038, 0.018),
        half(0.043, 0.0165).painted(WHITE).decoration(),
        half(0.050, 0.0161).painted(LEAF),
        *(seed.painted(DARK).decoration() for seed in seeds),
    ]


@thing("cheese wedge", "train", "yellow", 0.08)
def cheese_wedge() -> list[Piece]:
    """A sector of a wheel of cheese, full of holes."""
    sector = np.concatenate([[(0.0, 0.0)], arc(0.085, -24, 24, 6)])
    hole = (196, 150, 26)
    above = [(0.055, 0.012, 0.014), (0.042, -0.010, 0.010), (0.070, -0.014, 0.012),
             (0.026, 0.003, 0.008), (0.073, 0.020, 0.008)]  # fmt: skip
    dots = [cylinder(d, 0.002, sides=10).at(x, y, 0.0335) for x, y, d in above]
    beside = [(0.045, 0.015, 0.010), (0.062, 0.024, 0.008), (0.028, 0.022, 0.007)]
    for side in (-1, 1):
        for x, z, d in beside:
            dot = cylinder(d, 0.002, sides=10).turned(roll=-90 * side).at(x, -side * 0.0015, z)
            dots.append(dot.turned(yaw=24 * side))
    return [prism(sector, 0.0345), *(dot.painted(hole).decoration() for dot in dots)]


@thing("bread loaf", "train", "brown", 0.10, HALF)
def bread_loaf() -> list[Piece]:
    """A long loaf, slashed three times."""
    section = np.array([(-0.022, 0.0), (0.022, 0.0), (0.029, 0.010), (0.029, 0.020), (0.022, 0.032),
                        (0.010, 0.038), (-0.010, 0.038), (-0.022, 0.032), (-0.029, 0.020),
                        (-0.029, 0.010)])  # fmt: skip
    ends = [(-0.055, 0.45), (-0.049, 0.80), (-0.035, 0.97), (0, 1), (0.035, 0.97), (0.049, 0.80),
            (0.055, 0.45)]  # fmt: skip
    rings = [np.c_[np.full(len(section), x), section * (share, share**0.5)] for x, share in ends]
    cut = ball(0.010, 0.044, 0.010, 10, 6)
    cuts = [cut.turned(yaw=-25).at(x, z=0.0345) for x in (-0.028, 0.0, 0.028)]
    return [skin(rings), *(each.painted(CREAM).decoration() for each in cuts)]


@thing("hamburger", "train", "brown", 0.12, ROUND)
def hamburger() -> list[Piece]:
    """Bun, lettuce, cheese, patty, bun."""
    lower = lathe([(0, 0), (0.032, 0), (0.036, 0.006), (0.035, 0.012), (0, 0.012)], 18)
    patty = lathe([(0, 0.011), (0.036, 0.011), (0.038, 0.016), (0.036, 0.021), (0, 0.021)], 18)
    cheese = box(0.060, 0.060, 0.003).at(z=0.020)
    frill = np.array([(0.040, 0.0015), (0.042, -0.0015)] * 12)
    points = _around(24, 1.0)
    rings = [np.c_[points * frill[:, :1], 0.024 + dz + frill[:, 1]] for dz in (0.0, 0.002)]
    lettuce = skin(rings)
    top = lathe([(0, 0.025), (0.035, 0.025), (0.038, 0.031), (0.033, 0.043), (0.022, 0.050),
                 (0.010, 0.0525), (0, 0.053)], 18)  # fmt: skip
    seed = ball(0.0055, 0.003, 0.003, 6, 2)
    seeds = [seed.at(z=0.053)]
    for count, radius, z, lean in ((6, 0.015, 0.0518, 14), (8, 0.027, 0.0474, 34)):
        seeds += [
            seed.turned(pitch=lean).at(radius, z=z).turned(yaw=360 * k / count)
            for k in range(count)
        ]
    return [
        top, lower, patty.painted(BROWN), cheese.painted((250, 190, 50)).decoration(),
        lettuce.painted((116, 176, 70)).decoration(),
        *(each.painted(CREAM).decoration() for each in seeds),
    ]  # fmt: skip


@thing("pizza slice", "train", "yellow", 0.05)
def pizza_slice() -> list[Piece]:
    """With pepperoni."""
    sector = np.concatenate([[(-0.055, 0.0)], arc(0.098, -22, 22, 7, (-0.055, 0.0))])
    crust = sweep(flat(arc(0.100, -23, 23, 8, (-0.055, 0.0)), 0.0085), 0.017, chunks=3)
    spots = [(-0.022, 0.001), (0.004, -0.010), (0.014, 0.014), (0.027, -0.019)]
    slices = [cylinder(0.015, 0.003, sides=12).at(x, y, 0.010) for x, y in spots]
    herbs = [box(0.006, 0.003, 0.002).turned(yaw=a).at(x, y, 0.0105) for x, y, a in
             ((-0.008, 0.007, 30), (0.026, 0.001, -50), (-0.038, 0.0, 70))]  # fmt: skip
    return [
        prism(sector, 0.011), crust.painted(CRUST),
        *(each.painted(RED).decoration() for each in slices),
        *(each.painted(LEAF).decoration() for each in herbs),
    ]  # fmt: skip


@thing("donut", "test", "pink", 0.05, ROUND)
def donut() -> list[Piece]:
    """Iced, with sprinkles."""
    whole = [(0.026 + x, 0.013 + z) for x, z in arc(1.0, 0, 330, 12) * (0.015, 0.013)]
    dough = [(0.026 + x, 0.013 + z) for x, z in arc(1.0, 180, 360, 5) * (0.015, 0.013)]
    icing = [(0.026 + x, 0.0135 + z) for x, z in arc(1.0, 0, 180, 6) * (0.0158, 0.0140)]
    colors = (WHITE, BLUE, GOLD)
    sprinkle = box(0.007, 0.0025, 0.002)
    sprinkles = [
        sprinkle.turned(yaw=77 * k).at(*xy, 0.0268).painted(colors[k % 3]).decoration()
        for k, xy in enumerate(_around(11, 0.027) * (0.93 + 0.14 * (np.arange(11) % 2))[:, None])
    ]
    return [
        ring(icing, 20).colliding_as(ring(whole, 24)),
        ring(dough, 20).painted(CRUST).decoration(),
        *sprinkles,
    ]


@thing("cupcake", "test", "pink", 0.05, ROUND)
def cupcake() -> list[Piece]:
    """A pleated case, three rounds of icing, a cherry."""
    pleats = np.tile([1.0, 0.92], 14)[:, None]
    rings = [flat(_around(28, r) * pleats, z) for r, z in ((0.022, 0.0), (0.030, 0.030))]
    icing = [(0, 0.029), (0.029, 0.029), (0.034, 0.034), (0.031, 0.040), (0.024, 0.042)]
    icing += [(0.026, 0.046), (0.022, 0.051), (0.015, 0.053), (0.016, 0.056), (0.011, 0.060)]
    cherry = dome(0.015, 0.015, 0.0045, 12, 3).at(z=0.0595)
    return [
        lathe([*icing, (0, 0.060)], 20, chunks=2), skin(rings).painted((120, 78, 50)),
        cherry.painted(RED),
    ]  # fmt: skip


@thing("ice cream cone", "test", "pink", 0.06)
def ice_cream_cone() -> list[Piece]:
    """One scoop, lying."""
    slope = math.degrees(math.atan2(0.019, 0.070))
    cone = [lathe([(0, 0), (0.002, 0), (0.021, 0.070), (0, 0.070)], 14).painted((214, 164, 96))]
    for z in (0.016, 0.036):
        r = 0.0026 + 0.27 * z
        band = lathe([(0, z), (r, z), (r + 0.0009, z + 0.003), (0, z + 0.003)], 14)
        cone.append(band.painted((168, 112, 56)).decoration())
    lying = [piece.turned(pitch=90 - slope).at(-0.068) for piece in cone]
    scoop = ball(0.050, sides=16, rings=8).at(0.012, z=0.022)
    skirt = [ball(0.013, sides=7, rings=4).at(*xyz) for xyz in
             ((-0.003, 0.010, 0.036), (-0.004, -0.008, 0.037), (-0.006, 0.020, 0.024),
              (-0.006, -0.019, 0.026))]  # fmt: skip
    return [piece.flat_below(0.0) for piece in
            (scoop, *lying, *(each.decoration() for each in skirt))]  # fmt: skip
