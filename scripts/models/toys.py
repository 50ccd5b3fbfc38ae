"""Toys."""

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
    WOOD,
    Piece,
    arc,
    ball,
    box,
    cylinder,
    dome,
    hull,
    lathe,
    prism,
    rounded_box,
    skin,
)

GLASS, ORANGE = (66, 92, 120), (240, 130, 30)


def _wheels(diameter: float, width: float, xs: tuple[float, ...], y: float) -> list[Piece]:
    """Tyres with hubs on both sides, standing on the floor; `y` is the middle of a tyre.

    An axle collides as one roller.
    """
    tyre = cylinder(diameter, width, sides=10).at(z=-width / 2).turned(roll=90).at(z=diameter / 2)
    hub = cylinder(diameter * 0.5, width + 0.002, sides=6).at(z=-width / 2 - 0.001)
    hub = hub.turned(roll=90).at(z=diameter / 2).painted(STEEL).decoration()
    roller = hull(np.concatenate([tyre.at(y=side * y).mesh.vertices for side in (-1, 1)]))
    right, left = tyre.at(y=-y).colliding_as(roller), tyre.at(y=y).decoration()
    axle = [right.painted(DARK), left.painted(DARK), hub.at(y=-y), hub.at(y=y)]
    return [piece.at(x) for x in xs for piece in axle]


@thing("toy car", "train", "red", 0.1)
def toy_car() -> list[Piece]:
    """Windows all round, lamps before and behind."""
    body = rounded_box(0.092, 0.044, 0.021, 0.008).at(z=0.007)
    windows = box(0.056, 0.038, 0.015, top=(0.034, 0.031)).at(-0.006, 0, 0.027)
    roof = box(0.034, 0.031, 0.003, top=(0.030, 0.027)).at(-0.006, 0, 0.042)
    posts = [box(0.004, 0.0385, 0.014, top=(0.004, 0.032)).at(-0.006, 0, 0.028)]
    lamps = [ball(0.006, 0.010, 0.008, 8, 4).at(0.0445, y, 0.019) for y in (-0.013, 0.013)]
    rear = [box(0.004, 0.008, 0.006).at(-0.0448, y, 0.016) for y in (-0.014, 0.014)]
    return [
        body, roof, *(post.decoration() for post in posts), windows.painted(GLASS),
        *(each.painted((250, 226, 130)).decoration() for each in lamps),
        *(each.painted((150, 20, 24)).decoration() for each in rear),
        *_wheels(0.023, 0.010, (-0.027, 0.027), 0.0190),
    ]  # fmt: skip


@thing("toy truck", "test", "orange", 0.15)
def toy_truck() -> list[Piece]:
    """A tipper loaded with sand."""
    frame = box(0.104, 0.030, 0.008).at(z=0.010).painted(DARK)
    cab = rounded_box(0.032, 0.044, 0.036, 0.005, 1).at(0.036, 0, 0.014)
    window = box(0.020, 0.036, 0.012).at(0.043, 0, 0.032).painted(GLASS).decoration()
    panes = box(0.014, 0.046, 0.012).at(0.037, 0, 0.032).painted(GLASS).decoration()
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
    levels = [
        (0.032, 0.020, 0.017),
        (0.036, 0.025, 0.042),
        (0.033, 0.022, 0.042),
        (0.033, 0.022, 0.036),
    ]
    bed = skin([np.c_[corners * (x, y), np.full(4, z)] for x, y, z in levels]).at(-0.018)
    sand = dome(0.064, 0.042, 0.007, 12, 3).at(-0.018, 0, 0.036)
    return [cab, bed, frame, window, panes, sand.painted((206, 170, 110)),
            *_wheels(0.022, 0.010, (-0.036, -0.011, 0.034), 0.0190)]  # fmt: skip


@thing("toy train", "train", "green", 0.15)
def toy_train() -> list[Piece]:
    """A steam engine."""
    frame = box(0.100, 0.030, 0.008).at(z=0.010).painted(DARK)
    boiler = cylinder(0.032, 0.062, sides=12).turned(pitch=90).at(-0.018, 0, 0.033)
    door = cylinder(0.026, 0.004, sides=10).turned(pitch=90).at(0.043, 0, 0.033)
    cab = box(0.032, 0.040, 0.040).at(-0.032, 0, 0.018)
    roof = box(0.042, 0.048, 0.005).at(-0.032, 0, 0.058)
    panes = box(0.016, 0.042, 0.014).at(-0.032, 0, 0.038).painted(CREAM).decoration()
    chimney = lathe([(0, 0), (0.006, 0), (0.0055, 0.010), (0.009, 0.018), (0.006, 0.018),
                     (0.005, 0.014), (0, 0.014)], 9).at(0.033, 0, 0.046)  # fmt: skip
    chimney = chimney.colliding_as(cylinder(0.015, 0.018).at(0.033, 0, 0.046)).painted(DARK)
    bell = lathe([(0, 0), (0.008, 0), (0.0075, 0.006), (0.004, 0.009), (0, 0.009)], 8)
    bands = [
        cylinder(0.0335, 0.003, sides=12).turned(pitch=90).at(x, 0, 0.033) for x in (0.000, 0.022)
    ]
    plough = hull([(0.048, -0.018, 0.002), (0.048, 0.018, 0.002), (0.048, -0.018, 0.016),
                   (0.048, 0.018, 0.016), (0.060, 0, 0.002)])  # fmt: skip
    wheels = _wheels(0.022, 0.007, (-0.033, -0.008, 0.017), 0.0185)
    wheels = [wheel.painted(RED) if wheel.paint == DARK else wheel for wheel in wheels]
    return [
        boiler, cab, frame, roof, panes, chimney,
        bell.at(0.011, 0, 0.048).painted(GOLD).decoration(),
        door.painted(DARK).decoration(), plough.painted(DARK),
        *(band.painted(GOLD).decoration() for band in bands),
        *(wheel.decoration() for wheel in wheels),
        box(0.072, 0.044, 0.012).at(-0.008).painted(DARK),
    ]  # fmt: skip


@thing("toy airplane", "test", "white", 0.08)
def toy_airplane() -> list[Piece]:
    """A low-wing plane with red tips."""
    sections = [(-0.050, 0.003, 0.014), (-0.046, 0.006, 0.013), (-0.020, 0.016, 0.011),
                (0.010, 0.020, 0.0105), (0.034, 0.018, 0.0105), (0.045, 0.012, 0.0105)]  # fmt: skip
    circle = arc(0.5, 0, 315, 8)
    rings = [np.c_[np.full(8, x), d * circle[:, 0], z + d * circle[:, 1]] for x, d, z in sections]
    body = skin(rings, chunks=2).flat_below(0.003)
    wing = prism([(-0.006, -0.052), (0.010, -0.052), (0.020, 0), (0.010, 0.052), (-0.006, 0.052),
                  (-0.008, 0)], 0.006)  # fmt: skip
    tips = [prism([(-0.006, 0.041), (0.0121, 0.041), (0.0101, 0.0525), (-0.0065, 0.0525)], 0.007)]
    tips.append(tips[0].scaled(y=-1))
    tail = prism([(-0.052, -0.021), (-0.042, -0.021), (-0.036, 0), (-0.042, 0.021),
                  (-0.052, 0.021)], 0.004).at(z=0.012)  # fmt: skip
    fin = prism([(-0.054, 0.014), (-0.036, 0.014), (-0.047, 0.034), (-0.054, 0.034)], 0.004)
    fin = fin.at(z=-0.002).turned(roll=90)
    cockpit = ball(0.026, 0.013, 0.014, 10, 6).at(0.014, 0, 0.0185)
    spinner = dome(0.008, 0.008, 0.007, 8, 2).turned(pitch=90).at(0.045, 0, 0.0105)
    blade = box(0.003, 0.034, 0.005).at(0.0475, 0, 0.008)
    # A little wider than a pixel of the view from above, so that it shows at any yaw.
    blades = [blade.decoration(), box(0.0034, 0.034, 0.005).at(0.0475, 0, 0.008).lining()]
    return [
        body, wing, tail, fin.painted(RED), *(tip.painted(RED).decoration() for tip in tips),
        cockpit.painted(GLASS), spinner.painted(RED).decoration(),
        *(each.painted(DARK) for each in blades),
    ]  # fmt: skip


@thing("sailing boat", "test", "purple", 0.08)
def sailing_boat() -> list[Piece]:
    """A hull, a deck, two sails."""
    half = np.array([(-0.048, 0.012), (-0.030, 0.020), (0.000, 0.0235), (0.025, 0.018),
                     (0.044, 0.007), (0.052, 0.0)])  # fmt: skip
    outline = np.concatenate([half, half[-2::-1] * (1, -1)])
    shares = [(0.55, 0.0), (0.85, 0.008), (1.0, 0.022), (0.87, 0.022), (0.87, 0.018)]
    shell = skin([np.c_[outline * (0.5 + share / 2, share), np.full(len(outline), z)]
                  for share, z in shares])  # fmt: skip
    deck = prism(outline * (0.93, 0.86), 0.003).at(z=0.016)
    hatch = rounded_box(0.022, 0.020, 0.010, 0.003, 1).at(0.024, 0, 0.016)
    mast = cylinder(0.005, 0.072, sides=8).at(0.008, 0, 0.018)
    main = hull([(0.006, 0, 0.026), (0.006, 0, 0.086), (-0.044, 0.016, 0.028),
                 (-0.014, 0.012, 0.042), (0.006, 0.004, 0.026), (0.006, 0.004, 0.086),
                 (-0.044, 0.020, 0.028),
                 (-0.014, 0.017, 0.042)])  # fmt: skip
    jib = hull([(0.011, 0, 0.080), (0.048, 0, 0.026), (0.014, 0.011, 0.028), (0.011, 0.004, 0.080),
                (0.048, 0.004, 0.026), (0.014, 0.015, 0.028)])  # fmt: skip
    return [shell, deck.decoration(), *(each.painted(WOOD) for each in (hatch, mast)),
            main.painted(WHITE), jib.painted(WHITE)]  # fmt: skip


@thing("toy house", "train", "red", 0.15, HALF)
def toy_house() -> list[Piece]:
    """A red roof on cream walls, a chimney, doors and windows."""
    walls = box(0.066, 0.054, 0.036)
    gable = prism([(-0.027, 0.036), (0.027, 0.036), (0.004, 0.058), (-0.004, 0.058)], 0.064)
    gable = gable.turned(roll=90).turned(yaw=90).at(-0.032)
    roof = prism([(-0.033, 0.030), (-0.027, 0.030), (-0.004, 0.0535), (0.004, 0.0535),
                  (0.027, 0.030), (0.033, 0.030), (0.0065, 0.0595),
                  (-0.0065, 0.0595)], 0.076)  # fmt: skip
    whole = prism([(-0.033, 0.030), (0.033, 0.030), (0.0065, 0.0595), (-0.0065, 0.0595)], 0.076)
    roof, whole = (each.turned(roll=90).turned(yaw=90).at(-0.038) for each in (roof, whole))
    chimneys = [box(0.011, 0.011, 0.024).at(0.020 * s, 0.015 * s, 0.040) for s in (-1, 1)]
    door = box(0.014, 0.056, 0.024).painted((110, 70, 40)).decoration()
    panes = [box(0.012, 0.056, 0.012).at(x, 0, 0.013) for x in (-0.021, 0.021)]
    panes.append(box(0.068, 0.014, 0.014).at(z=0.013))
    return [
        roof.colliding_as(whole), walls.painted(CREAM), gable.painted(CREAM).decoration(), door,
        *(each.painted((150, 70, 56)) for each in chimneys),
        *(pane.painted(GLASS).decoration() for pane in panes),
    ]  # fmt: skip


@thing("rubber duck", "train", "yellow", 0.06)
def rubber_duck() -> list[Piece]:
    """Afloat on its flat belly."""
    body = ball(0.078, 0.056, 0.046, 16, 8).at(-0.004, 0, 0.020).flat_below(0.004)
    tail = hull([(-0.030, -0.016, 0.024), (-0.030, 0.016, 0.024), (-0.030, 0, 0.008),
                 (-0.050, -0.006, 0.042), (-0.050, 0.006, 0.042), (-0.022, 0, 0.040)])  # fmt: skip
    head = ball(0.039, 0.037, 0.038, 14, 8).at(0.021, 0, 0.053)
    wing = ball(0.040, 0.012, 0.022, 8, 4).turned(pitch=12)
    wings = [wing.at(-0.010, y, 0.028) for y in (-0.026, 0.026)]
    beak = ball(0.022, 0.020, 0.008, 10, 4).at(0.043, 0, 0.050)
    eyes = [ball(0.006, sides=6, rings=4).at(0.035, y, 0.060) for y in (-0.0115, 0.0115)]
    return [
        body, head, tail, *(each.decoration() for each in wings), beak.painted(ORANGE),
        *(eye.painted(DARK).decoration() for eye in eyes),
    ]  # fmt: skip


@thing("toy robot", "train", "blue", 0.1)
def toy_robot() -> list[Piece]:
    """Lying on its back, its head towards +x."""
    body = rounded_box(0.042, 0.046, 0.028, 0.004, 1)
    head = rounded_box(0.026, 0.034, 0.024, 0.004, 1).at(0.040, 0, 0.002)
    neck = box(0.010, 0.016, 0.016).at(0.024, 0, 0.006).painted(STEEL)
    arms = [
        rounded_box(0.036, 0.010, 0.014, 0.003, 1).at(-0.002, y, 0.007) for y in (-0.029, 0.029)
    ]
    hands = [box(0.012, 0.012, 0.012).at(-0.024, y, 0.008) for y in (-0.029, 0.029)]
    legs = [box(0.020, 0.014, 0.016).at(-0.029, y, 0.006) for y in (-0.013, 0.013)]
    feet = [box(0.010, 0.020, 0.026).at(-0.044, y, 0.0) for y in (-0.013, 0.013)]
    face = box(0.014, 0.026, 0.003).at(0.041, 0, 0.0245).painted(DARK)
    eyes = [cylinder(0.008, 0.003, sides=8).at(0.043, y, 0.026) for y in (-0.007, 0.007)]
    panel = box(0.022, 0.030, 0.002).at(0.0, 0, 0.0275).painted(STEEL)
    knobs = [cylinder(0.007, 0.003, sides=8).at(0.004, y, 0.028) for y in (-0.009, 0.0, 0.009)]
    # Thick enough to join ball and head in the view from above, at any yaw.
    aerial = [box(0.010, 0.0045, 0.0045).at(0.057, 0, 0.012).painted(STEEL),
              ball(0.008, sides=8, rings=4).at(0.064, 0, 0.0145).painted(RED)]  # fmt: skip
    limbs = [hull(np.concatenate([a.mesh.vertices, b.mesh.vertices])) for a, b in
             (*zip(arms, hands, strict=True), *zip(legs, feet, strict=True))]  # fmt: skip
    return [
        body, head, *(each.decoration() for each in arms), neck.decoration(),
        *(each.painted(STEEL).decoration() for each in (*hands, *legs)),
        *(foot.colliding_as(*limbs[k::2]) for k, foot in enumerate(feet)),
        face.decoration(), panel.decoration(), *(each.decoration() for each in aerial),
        *(each.painted(GOLD).decoration() for each in eyes),
        *(each.painted(RED).decoration() for each in knobs),
    ]  # fmt: skip


@thing("teddy bear", "train", "brown", 0.06)
def teddy_bear() -> list[Piece]:
    """Lying on its back, its head towards +x."""
    body = ball(0.052, 0.044, 0.036, 12, 6).at(-0.008, 0, 0.015)
    head = ball(0.036, 0.040, 0.034, 12, 6).at(0.031, 0, 0.016)
    ears = [ball(0.017, 0.017, 0.012, 8, 4).at(0.044, y, 0.016) for y in (-0.018, 0.018)]
    arms = [ball(0.036, 0.017, 0.018, 8, 4).turned(yaw=a).at(0.005, y, 0.010)
            for a, y in ((55, -0.027), (-55, 0.027))]  # fmt: skip
    legs = [ball(0.040, 0.020, 0.020, 8, 4).turned(yaw=a).at(-0.034, y, 0.010)
            for a, y in ((35, -0.020), (-35, 0.020))]  # fmt: skip
    inner = [ball(0.010, 0.010, 0.006, 7, 2).at(0.045, y, 0.0205) for y in (-0.018, 0.018)]
    soles = [ball(0.012, 0.012, 0.006, 7, 2).at(-0.046, y, 0.0165) for y in (-0.027, 0.027)]
    patch = ball(0.032, 0.028, 0.008, 12, 4).at(-0.010, 0, 0.0305)
    muzzle = ball(0.017, 0.019, 0.012, 9, 4).at(0.025, 0, 0.031)
    light = (204, 164, 116)
    dark = [ball(0.006, 0.008, 0.005, 6, 2).at(0.028, 0, 0.0365)]
    dark += [ball(0.005, sides=6, rings=2).at(0.036, y, 0.0305) for y in (-0.008, 0.008)]
    brown = [body, head, *arms, *legs, *(ear.decoration() for ear in ears)]
    return [
        *(each.flat_below(0.002) for each in brown),
        *(each.painted(light).decoration() for each in (*inner, *soles, patch)),
        muzzle.painted(light), *(each.painted(DARK).decoration() for each in dark),
    ]  # fmt: skip


@thing("toy turtle", "test", "green", 0.06)
def toy_turtle() -> list[Piece]:
    """A shell with dark scales."""
    shell = dome(0.068, 0.058, 0.034, 14, 4).at(-0.006, 0, 0.006)
    skin_color, scale = (150, 196, 104), (34, 92, 44)
    belly = lathe([(0, 0), (0.88, 0.0), (1.0, 0.5), (0.95, 1), (0, 1)], 14)
    belly = belly.scaled(0.036, 0.031, 0.010).at(-0.006)
    head = ball(0.026, 0.020, 0.020, 10, 6).at(0.041, 0, 0.014)
    foot = ball(0.026, 0.015, 0.013, 8, 4)
    feet = [foot.turned(yaw=a).at(x, y, 0.006).flat_below(0.0) for x, y, a in
            ((0.018, 0.030, 50), (0.018, -0.030, -50), (-0.030, 0.027, 130),
             (-0.030, -0.027, -130))]  # fmt: skip
    tail = hull([(-0.036, 0.004, 0.004), (-0.036, -0.004, 0.004), (-0.036, 0, 0.010),
                 (-0.050, 0, 0.004)])  # fmt: skip
    spot = cylinder(0.017, 0.003, 0.015, sides=6)
    spots = [spot.at(-0.006, 0, 0.0385)]
    for k in range(6):
        x, y = arc(0.0205, 60 * k + 30, 60 * k + 30, 1)[0]
        spots.append(
            spot.turned(pitch=38).turned(yaw=60 * k + 30).at(x * 1.06 - 0.006, y * 0.96, 0.0312)
        )
    eyes = [ball(0.004, sides=6, rings=2).at(0.049, y, 0.019) for y in (-0.007, 0.007)]
    soft = [belly, head, *(each.decoration() for each in (*feet, tail))]
    return [shell, *(each.painted(skin_color) for each in soft),
            *(each.painted(scale).decoration() for each in spots),
            *(each.painted(DARK).decoration() for each in eyes)]  # fmt: skip


@thing("toy guitar", "train", "brown", 0.08)
def toy_guitar() -> list[Piece]:
    """Lying, its neck towards +x."""
    half = [
        (-0.058, 0.0),
        (-0.056, 0.012),
        (-0.046, 0.021),
        (-0.034, 0.023),
        (-0.022, 0.019),
        (-0.015, 0.0145),
        (-0.008, 0.0150),
        (0.000, 0.017),
        (0.008, 0.013),
        (0.010, 0.006),
    ]
    outline = np.array([*half, *((x, -y) for x, y in half[:0:-1])])[::-1]
    body = prism(outline, 0.016)
    neck = box(0.052, 0.009, 0.018).at(0.026)
    head = box(0.017, 0.014, 0.016).at(0.056)
    hole = cylinder(0.014, 0.002, sides=12).at(-0.010, 0, 0.0155)
    bridge = box(0.005, 0.018, 0.0035).at(-0.038, 0, 0.0155)
    frets = [box(0.003, 0.009, 0.001).at(x, 0, 0.0178) for x in (0.012, 0.024, 0.036)]
    pegs = [ball(0.004, 0.005, 0.005, 6, 4).at(x, y, 0.012) for x in (0.052, 0.060)
            for y in (-0.0085, 0.0085)]  # fmt: skip
    return [
        body, *(each.painted(DARK) for each in (neck, head)), hole.painted(DARK).decoration(),
        bridge.painted(DARK).decoration(), *(each.painted(CREAM).decoration() for each in frets),
        *(each.painted(CREAM).decoration() for each in pegs),
    ]  # fmt: skip
