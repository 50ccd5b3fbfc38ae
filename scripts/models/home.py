"""Household objects: clothes, plants, items on a desk."""

from __future__ import annotations

import numpy as np

from scripts.models.registry import HALF, thing
from scripts.models.shapes import (
    CREAM,
    DARK,
    GOLD,
    RED,
    STEEL,
    WHITE,
    Array,
    Piece,
    arc,
    ball,
    box,
    circle,
    cylinder,
    dome,
    flat,
    hull,
    lathe,
    prism,
    ring,
    rounded_box,
    skin,
    sweep,
    upright,
)

CLAY, SOIL = (190, 104, 62), (74, 52, 40)


@thing("alarm clock", "train", "cyan", 0.12)
def alarm_clock() -> list[Piece]:
    """Lying on its back, twelve o'clock towards +x: five to three."""
    case = lathe(
        [(0, 0), (0.031, 0), (0.034, 0.004), (0.034, 0.022), (0.031, 0.026), (0, 0.026)], 24
    )
    face = cylinder(0.054, 0.002, sides=24).at(z=0.0255)
    marks = [
        box(0.006, 0.003, 0.0015).at(0.0215).turned(yaw=30 * k).at(z=0.0268)
        for k in range(0, 12, 3)
    ]
    hands = [
        box(0.014, 0.0034, 0.002).at(0.006).turned(yaw=-88),
        box(0.021, 0.0026, 0.002).at(0.0085).turned(yaw=30),
    ]
    bells = [dome(0.026, 0.026, 0.013, 14, 3).turned(pitch=90).at(0.034, z=0.014).turned(yaw=a)
             for a in (-35, 35)]  # fmt: skip
    hammer = box(0.014, 0.006, 0.006).at(0.039, 0, 0.011)
    feet = [cylinder(0.008, 0.014, sides=8).turned(pitch=90).at(-0.046, 0, 0.012).turned(yaw=a)
            for a in (-30, 30)]  # fmt: skip
    return [
        case, *bells, face.painted(WHITE).decoration(),
        *(each.painted(DARK).decoration() for each in marks),
        *(each.at(z=0.0272).painted(DARK).decoration() for each in hands),
        *(each.painted(STEEL) for each in (hammer, *feet)),
    ]  # fmt: skip


@thing("camera", "train", "black", 0.12)
def camera() -> list[Piece]:
    """Lying on its back, looking up."""
    body = rounded_box(0.062, 0.092, 0.026, 0.005)
    lens = [
        cylinder(0.046, 0.012, 0.044).at(-0.004, 0, 0.026),
        ring([(0.014, 0.0), (0.019, 0.0), (0.019, 0.006), (0.014, 0.006)], 20).at(-0.004, 0, 0.038),
    ]
    glass = dome(0.028, 0.028, 0.004, 16, 2).at(-0.004, 0, 0.038).painted((88, 120, 170))
    rim = ring([(0.022, 0.0), (0.0255, 0.0), (0.0255, 0.004), (0.022, 0.004)], 20).at(
        -0.004, 0, 0.0255
    )
    plate = box(0.014, 0.084, 0.003).at(0.0225, 0, 0.0240)
    flash = box(0.010, 0.018, 0.002).at(0.0225, 0.028, 0.0264)
    finder = box(0.008, 0.012, 0.002).at(0.0225, -0.030, 0.0264)
    hump = box(0.012, 0.030, 0.020, top=(0.010, 0.026)).at(0.034, 0, 0.003)
    button = cylinder(0.010, 0.006, sides=10).turned(pitch=90).at(0.029, -0.030, 0.013)
    whole = cylinder(0.040, 0.016).at(-0.004, 0, 0.026)
    return [
        body, hump, lens[0].colliding_as(whole), lens[1].decoration(), glass.decoration(),
        *(each.painted(STEEL).decoration() for each in (rim, plate)),
        flash.painted((255, 246, 200)).decoration(), finder.painted(DARK).decoration(),
        button.painted(RED).decoration(),
    ]  # fmt: skip


@thing("book", "train", "blue", 0.15)
def book() -> list[Piece]:
    """Closed, a title on its cover; its spine towards -y."""
    covers = [box(0.104, 0.076, 0.004).at(z=z) for z in (0.0, 0.021)]
    spine = box(0.104, 0.005, 0.025).at(0, -0.0375)
    pages = box(0.100, 0.072, 0.019).at(0, 0.0, 0.003)
    title = [box(0.009, y, 0.001).at(x, 0.003, 0.0247) for x, y in ((0.034, 0.050), (0.019, 0.034))]
    title.append(cylinder(0.026, 0.001, sides=16).at(-0.022, 0.003, 0.0247))
    whole = box(0.104, 0.080, 0.025).at(0, -0.001)
    return [
        covers[0].colliding_as(whole),
        covers[1].decoration(),
        spine.decoration(),
        pages.painted(CREAM).decoration(),
        *(each.painted(GOLD).decoration() for each in title),
    ]


@thing("hat", "train", "brown", 0.06, HALF)
def hat() -> list[Piece]:
    """A wide brim turned up at the sides, a band, a dented crown."""
    turn = np.radians(np.arange(24) * 15)
    lift = 0.011 * np.abs(np.sin(turn)) ** 3

    def oval(x: float, y: float, z: float) -> Array:
        return np.c_[x * np.cos(turn), y * np.sin(turn), np.full(24, z)]

    rim = oval(0.055, 0.043, 0.0) + np.c_[np.zeros((24, 2)), lift]
    top = rim + (0, 0, 0.003)
    brim = skin([oval(0.030, 0.025, 0.0), rim, top, oval(0.030, 0.025, 0.004)])
    crown = skin([oval(0.030, 0.025, 0.0), oval(0.027, 0.021, 0.030), oval(0.023, 0.016, 0.036),
                  oval(0.014, 0.006, 0.034)])  # fmt: skip
    band = skin([oval(0.0312, 0.0262, 0.003), oval(0.0298, 0.0246, 0.012)])
    sole = prism(oval(0.050, 0.030, 0.0)[:, :2], 0.0035)
    edge = np.concatenate([rim, top, oval(0.030, 0.025, 0.0), oval(0.030, 0.025, 0.004)])
    flaps = [hull(edge[side * edge[:, 1] > 0.008]) for side in (-1, 1)]
    filled = skin([oval(0.030, 0.025, 0.0), oval(0.027, 0.021, 0.030), oval(0.023, 0.016, 0.0355)])
    return [brim.colliding_as(sole, *flaps), crown.colliding_as(filled),
            band.painted(DARK).decoration()]  # fmt: skip


@thing("sneaker", "test", "blue", 0.08)
def sneaker() -> list[Piece]:
    """A shoe, its toe towards +x."""
    half = np.array([(-0.052, 0.006), (-0.048, 0.014), (-0.030, 0.017), (-0.005, 0.016),
                     (0.020, 0.019), (0.038, 0.018), (0.050, 0.010), (0.0535, 0.0)])  # fmt: skip
    outline = np.concatenate([half, half[-2::-1] * (1, -1)])[::-1]
    sole = prism(outline, 0.011)
    heights = np.interp(outline[:, 0], [-0.052, -0.030, -0.004, 0.014, 0.036, 0.053],
                        [0.044, 0.038, 0.038, 0.030, 0.021, 0.015])  # fmt: skip

    def level(share: float, narrow: float) -> Array:
        z = 0.009 + (heights - 0.009) * share
        return np.c_[outline[:, 0] * (1 - 0.05 * narrow), outline[:, 1] * (1 - narrow), z]

    upper = skin([level(0, 0.04), level(0.45, 0.10), level(0.80, 0.34), level(1.0, 0.56)], chunks=1)
    points = upper.mesh.vertices
    back = hull(points[points[:, 0] < 0.001])
    front = hull(points[points[:, 0] > -0.006])
    mouth = prism(arc(1.0, 0, 330, 12) * (0.019, 0.0088), 0.003)
    mouth = mouth.turned(pitch=3).at(-0.026, 0, 0.0370)
    laces = [box(0.003, 0.019, 0.003).turned(pitch=27).at(x, 0, z) for x, z in
             ((0.001, 0.0355), (0.009, 0.0315), (0.017, 0.0272))]  # fmt: skip
    toe = ball(0.026, 0.030, 0.016, 12, 6).at(0.039, 0, 0.010)
    stripe = box(0.005, 0.034, 0.016).turned(pitch=-20)
    stripes = [stripe.at(x, 0, 0.012) for x in (-0.020, -0.008)]
    return [
        upper.colliding_as(back, front), sole.painted(WHITE), mouth.painted(DARK).decoration(),
        *(each.painted(WHITE).decoration() for each in (*laces, toe.flat_below(0.003), *stripes)),
    ]  # fmt: skip


@thing("trophy", "train", "yellow", 0.12, HALF)
def trophy() -> list[Piece]:
    """A full cup with two handles on a plinth."""
    plinth = box(0.052, 0.052, 0.016, top=(0.048, 0.048)).painted(DARK)
    plate = box(0.026, 0.053, 0.008).at(z=0.004).painted(GOLD).decoration()
    foot = lathe(
        [(0, 0.015), (0.015, 0.015), (0.013, 0.019), (0.005, 0.024), (0.005, 0.034), (0, 0.034)], 14
    )
    cup = lathe([(0, 0.032), (0.008, 0.033), (0.019, 0.044), (0.024, 0.062), (0.026, 0.078),
                 (0.0235, 0.078), (0.0228, 0.076), (0, 0.076)], 18)  # fmt: skip
    handle = sweep(upright(arc(0.014, -110, 110, 7, (0.027, 0.059))), 0.008, 6)
    return [cup, foot, handle, handle.scaled(x=-1), plinth, plate]


@thing("watering can", "train", "blue", 0.12)
def watering_can() -> list[Piece]:
    """A spout with a rose, a handle over the top."""
    body = lathe(
        [(0, 0), (0.030, 0), (0.031, 0.003), (0.029, 0.044), (0.027, 0.046), (0, 0.046)], 20
    )
    spout = sweep(
        [(0.024, 0, 0.010), (0.040, 0, 0.026), (0.054, 0, 0.046)], [0.014, 0.011, 0.009], chunks=2
    )
    rose = cylinder(0.010, 0.010, 0.022, sides=12).turned(pitch=42).at(0.052, 0, 0.044)
    sieve = cylinder(0.018, 0.002, sides=10).turned(pitch=42).at(0.0585, 0, 0.0512)
    handle = sweep(upright(arc(0.022, 0, 190, 9, (-0.014, 0.036))), 0.007, 6, chunks=4)
    water = cylinder(0.046, 0.002, sides=16).at(0, 0, 0.0452)
    return [
        body, spout, rose.painted(GOLD), sieve.painted(DARK).decoration(), handle,
        water.painted((120, 190, 235)).decoration(),
    ]  # fmt: skip


@thing("light bulb", "test", "white", 0.04)
def light_bulb() -> list[Piece]:
    """Lying, its screw towards -x."""
    glass = lathe([(0, -0.020), (0.011, -0.020), (0.012, -0.012), (0.020, 0.006),
                   (0.025, 0.020), (0.024, 0.032), (0.017, 0.042), (0.008, 0.046), (0, 0.047)],
                  18, chunks=2)  # fmt: skip
    thread = [(r, -0.044 + 0.003 * k) for k, r in enumerate((0.0105, 0.012) * 4)]
    screw = lathe([(0, -0.044), *thread, (0.011, -0.019), (0, -0.019)], 14)
    contact = lathe([(0, -0.051), (0.004, -0.050), (0.010, -0.044), (0, -0.044)], 12)
    pieces = [glass, screw.painted(STEEL), contact.painted(DARK)]
    tilt = np.degrees(np.arctan2(0.013, 0.062))
    return [piece.turned(pitch=90 - tilt).flat_below(-0.0165) for piece in pieces]


@thing("cactus", "test", "green", 0.12)
def cactus() -> list[Piece]:
    """Two arms and a flower, in a clay pot."""
    pot = lathe([(0, 0), (0.019, 0), (0.025, 0.026), (0.028, 0.026), (0.028, 0.034), (0.024, 0.034),
                 (0.024, 0.031), (0, 0.031)], 18)  # fmt: skip
    soil = cylinder(0.050, 0.004, sides=18).at(z=0.028)
    ribs = np.tile([1.0, 0.84], 7)[:, None]
    column = [(0.030, 0.016), (0.050, 0.020), (0.070, 0.0185), (0.080, 0.013), (0.083, 0.006)]
    stem = skin([flat(circle(2 * r, 14)[:, :2] * ribs, z) for z, r in column])
    bend = [(0.012, 0.050), (0.026, 0.051), (0.031, 0.057), (0.031, 0.070), (0.031, 0.074)]
    arm = sweep(upright(np.array(bend)), [0.011, 0.012, 0.0125, 0.011, 0.005], 7, chunks=2)
    petal = ball(0.008, 0.006, 0.003, 6, 2).turned(pitch=-20).at(0.005)
    flower = [petal.turned(yaw=72 * k).at(z=0.085).painted((240, 110, 160)) for k in range(5)]
    flower.append(dome(0.006, 0.006, 0.003, 8, 2).at(z=0.084).painted(GOLD))
    pot_body = lathe([(0, 0), (0.019, 0), (0.028, 0.027), (0.028, 0.034), (0, 0.034)], 18)
    return [
        stem, arm, arm.scaled(x=-1).at(z=-0.008), pot.colliding_as(pot_body).painted(CLAY),
        soil.painted(SOIL).decoration(), *(each.decoration() for each in flower),
    ]  # fmt: skip


@thing("gift parcel", "test", "purple", 0.10, HALF)
def gift_parcel() -> list[Piece]:
    """A ribbon both ways, a bow on top."""
    body = box(0.074, 0.062, 0.040)
    ribbons = [box(0.010, 0.064, 0.0412), box(0.076, 0.010, 0.0412)]
    loop = [(0.0, 0.0), (0.010, -0.005), (0.017, -0.006), (0.020, -0.003), (0.020, 0.003),
            (0.017, 0.006), (0.010, 0.005)]  # fmt: skip
    loops = [prism(loop, 0.008).turned(yaw=a).at(z=0.040) for a in (45, 225)]
    loops += [prism(loop, 0.008).turned(yaw=a).at(z=0.040) for a in (-45, 135)]
    knot = rounded_box(0.014, 0.014, 0.011, 0.003, 1).at(z=0.039)
    ribbon = (250, 206, 70)
    return [body, *(each.painted(ribbon).decoration() for each in ribbons),
            *(each.painted(ribbon) for each in (*loops, knot))]  # fmt: skip


@thing("stapler", "test", "red", 0.10)
def stapler() -> list[Piece]:
    """A little open, its mouth towards +x."""
    foot = prism([(-0.050, -0.011), (0.050, -0.013), (0.055, -0.008), (0.055, 0.008),
                  (0.050, 0.013), (-0.050, 0.011)], 0.007)  # fmt: skip
    anvil = box(0.014, 0.016, 0.002).at(0.043, 0, 0.0065)
    hinge = box(0.024, 0.024, 0.024).at(-0.040)
    rail = box(0.092, 0.012, 0.007).turned(pitch=-5).at(0.002, 0, 0.0145)
    half = np.array([(0.0105, 0), (0.0105, 0.008), (0.006, 0.013)])
    section = np.concatenate([half, half[::-1] * (-1, 1)])
    spans = [(-0.054, 0.90), (-0.046, 1.05), (0.030, 1.0), (0.048, 0.80), (0.053, 0.55)]
    arm = skin([np.c_[np.full(6, x), section * (share**0.5, share)] for x, share in spans])
    arm = arm.turned(pitch=-5).at(z=0.0215)
    return [arm, foot.painted(DARK), anvil.painted(STEEL).decoration(), hinge.painted(DARK),
            rail.painted(STEEL)]  # fmt: skip
