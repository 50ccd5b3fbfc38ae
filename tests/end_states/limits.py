"""Just within and just beyond each number of what a goal means."""

from __future__ import annotations

import math

from end_states import (
    MIDDLE,
    Build,
    Case,
    Put,
    State,
    done,
    heap,
    inside,
    not_done,
    on,
    patterns,
    places,
    regions,
    rules,
    soft,
)
from end_states.regions import blocks
from gensim_envs.api import Block, Box, Container, Scene, Zone


def limit(what: str, build: Build, within: State, beyond: State, violation: str = "") -> list[Case]:
    """A case on each side of a number: "what: within | beyond"."""
    name, sides = what.split(": ")
    low, high = sides.split(" | ")
    return [
        done(f"{name}: {low}", build, within),
        not_done(f"{name}: {high}", build, beyond, violation=violation),
    ]


def polar(radius: float, degrees: float) -> tuple[float, float]:
    """A point, given its distance and its direction from the middle."""
    angle = math.radians(degrees)
    return radius * math.cos(angle), radius * math.sin(angle)


def kit(x: float, yaw: float) -> State:
    return {"blue letter R": Put(-9 + x, 4.75, 1, yaw), "red star": Put(*places.STAR)}


def tray(thickness: float) -> Build:
    """A block on a slab in a low tray."""

    def build(scene: Scene) -> None:
        slab = scene.add(Box("green", extents=(0.1, 0.1, thickness)))
        red, blue = scene.add(Block("red")), scene.add(Container("blue", SHALLOW), at=MIDDLE)
        scene.goal(f"put the {red} and the {slab} into the {blue}", [red, slab], inside=blue)

    return build


def room(width: float) -> Build:
    """A block and a zone that is barely larger."""

    def build(scene: Scene) -> None:
        red, zone = scene.add(Block("red")), scene.add(Zone("blue", width=width), at=MIDDLE)
        scene.goal(f"put the {red} into the {zone}", red, inside=zone)

    return build


def line_of(third: tuple[float, float]) -> State:
    return blocks((0, -9), (0, -3), third, (0, 9))


def circle(degrees: float, radius: float = 10) -> State:
    return blocks((0, 10), (0, -10), polar(10, 180), polar(radius, degrees))


SHALLOW = (0.20, 0.16, 0.04)
UNDER = {"green box": Put(0, 0, 0.5)}
BLUE, PAIR = regions.BLUE, regions.PAIR
ROPE = "red rope"
CASES = [
    *limit("off a mark: 9 mm | 11 mm", places.mark,
           {"red box": Put(0.9, 0)}, {"red box": Put(1.1, 0)}),
    *limit("heading on a mark: 13 degrees | 17 degrees", places.mark,
           {"red box": Put(0, 0, yaw=13)}, {"red box": Put(0, 0, yaw=17)}),
    *limit("off a silhouette: 4 mm | 6 mm", places.kit, kit(0.4, 0), kit(0.6, 0)),
    *limit("heading on a silhouette: 7 degrees | 9 degrees", places.kit, kit(0, 7), kit(0, 9)),
    *limit("middle over the top: 2 mm within | beyond, on a neighbour", on.three,
           {**BLUE, "green block": Put(0, 4.1), "red block": Put(0, 1.7, 4)},
           {**BLUE, "green block": Put(0, 4.1), "red block": Put(0, 2.3, 4)}),
    *limit("off an offset: 9 mm | 11 mm", on.offset,
           {"red block": Put(5.9, 0, 1.5)}, {"red block": Put(6.1, 0, 1.5)}),
    *limit("middle third of a thing: 2.6 cm | 3.1 cm", on.middle,
           {"red block": Put(2.6, 0, 1.5)}, {"red block": Put(3.1, 0, 1.5)}),
    *limit("facing: 13 degrees off | 17 degrees off", on.facing,
           {"red box": Put(0, 0, 1.5, 103)}, {"red box": Put(0, 0, 1.5, 107)}),
    *limit("over the border of a zone: 4 mm | 6 mm", inside.sled,
           {"red box": Put(0, 4.9)}, {"red box": Put(0, 5.1)}),
    done("middle below the rim: by 2 mm", tray(0.013), UNDER | {"red block": Put(0, 0, 1.8)}),
    not_done("middle below the rim: 2 mm above", tray(0.017),
             UNDER | {"red block": Put(0, 0, 2.2)}),
    done("room in a zone: 74 mm wide, the middle is inside", room(0.074), {"red block": Put(0, 3)}),
    not_done("room in a zone: 78 mm wide, not all inside", room(0.078), {"red block": Put(0, 3)}),
    *limit("a distracting pile: 2 of 50 crumbs | 3 of 50 crumbs", inside.among_crumbs,
           {"red block": Put(0, -4), inside.CRUMBS: heap(0, 18, (0, 5), (2, 4))},
           {"red block": Put(0, -4), inside.CRUMBS: heap(0, 18, (0, 5), (2, 4), (4, 4))}),
    *limit("direction: 43 degrees | 47 degrees", regions.LEFT,
           {**BLUE, **blocks(polar(9, -90 + 43))}, {**BLUE, **blocks(polar(9, -90 + 47))}),
    *limit("distance to the left: 14.8 cm | 15.2 cm", regions.LEFT,
           {**BLUE, **blocks((0, -14.8))}, {**BLUE, **blocks((0, -15.2))}),
    *limit("gap to a neighbour: 28 mm | 32 mm", regions.NEXT,
           {**BLUE, **blocks((0, 6.8))}, {**BLUE, **blocks((0, 7.2))}),
    *limit("middle third between two: 2.8 cm | 3.2 cm", regions.between,
           {**PAIR, **blocks((0, 2.8))}, {**PAIR, **blocks((0, 3.2))}),
    *limit("on the line between two: its edge touches | 2 mm beside", regions.between,
           {**PAIR, **blocks((1.8, 0))}, {**PAIR, **blocks((2.2, 0))}),
    *limit("angles around: 16 degrees uneven | 20 degrees uneven", regions.around,
           circle(16), circle(20)),
    *limit("distances around: 24 percent farther | 30 percent farther", regions.around,
           circle(0, 12.4), circle(0, 13)),
    *limit("off the line of a row: 9 mm | 11 mm", regions.row,
           line_of((0.9, 3)), line_of((1.1, 3))),
    *limit("gap within a row: 28 mm | 32 mm", regions.row,
           blocks((0, -9), (0, -3), (0, 3.8), (0, 9.8)),
           blocks((0, -9), (0, -3), (0, 4.2), (0, 10))),
    *limit("off a pattern: 13 mm, so that no block is over 1 cm | 27 mm", patterns.square,
           blocks((-4, -4), (-4, 4), (4, -4), (4.9, 4.9)),
           blocks((-4, -4), (-4, 4), (4, -4), (5.9, 5.9))),
    *limit("rope across its line: 9 mm | 11 mm", soft.line,
           {ROPE: soft.shifted(0.9, 0)}, {ROPE: soft.shifted(1.1, 0)}),
    *limit("rope along its line: 18 mm | 22 mm", soft.line,
           {ROPE: soft.shifted(0, 1.8)}, {ROPE: soft.shifted(0, 2.2)}),
    *limit("rope in waves: 9 mm high | 12 mm high", soft.line,
           {ROPE: soft.wave(0.9, 7)}, {ROPE: soft.wave(1.2, 9)}),
    *limit("crumb beyond the border: 4 mm | 6 mm", soft.pile,
           {"red pile": heap(0, 0, (0, 8.4))}, {"red pile": heap(0, 0, (0, 8.6))}),
    *limit("untouched: 18 mm | 22 mm", rules.vase,
           {**rules.SET, "green toy train": Put(0, 13.8)},
           {**rules.SET, "green toy train": Put(0, 14.2)}, "was moved"),
    *limit("untouched: 13 degrees | 17 degrees", rules.vase,
           {**rules.SET, "green toy train": Put(0, 12, yaw=13)},
           {**rules.SET, "green toy train": Put(0, 12, yaw=17)}, "was moved"),
]  # fmt: skip
