"""Beside, between and around other things, and in a row."""

from __future__ import annotations

from typing import Any

from end_states import MIDDLE, Build, Put, done, not_done, pose
from gensim_envs.api import Block, Bowl, Container, Cylinder, Household, Scene, Stand, Zone


def beside(words: str, **relation: str) -> Build:
    """A red block beside a blue one."""

    def build(scene: Scene) -> None:
        blue, red = scene.add(Block("blue")), scene.add(Block("red"))
        where: dict[str, Any] = dict.fromkeys(relation.values() or [words.replace(" ", "_")], blue)
        scene.goal(f"put the {red} {words} the {blue}", red, **where)

    return build


LEFT, RIGHT, BEHIND = beside("left of"), beside("right of"), beside("behind")
FRONT, NEXT = beside("in front of"), beside("next to")


def two_left(scene: Scene) -> None:
    bowl, reds = scene.add(Bowl("blue"), at=MIDDLE, fixed=True), scene.add(Block("red"), 2)
    scene.goal(f"put both {reds} to the left of the {bowl}", reds, left_of=bowl)


def car(scene: Scene) -> None:
    red, green = scene.add(Household("red", "toy_car")), scene.add(Block("green"))
    scene.goal(f"put the {red} next to the {green}", red, next_to=green)


def between(scene: Scene) -> None:
    blue, green = scene.add(Block("blue")), scene.add(Block("green"))
    red = scene.add(Block("red"))
    scene.goal(f"put the {red} between the {blue} and the {green}", red, between=(blue, green))


def around(scene: Scene) -> None:
    bowl = scene.add(Bowl("blue"), at=MIDDLE, fixed=True)
    reds = scene.add(Block("red"), 4)
    scene.goal(f"put the {reds} evenly around the {bowl}", reds, around=bowl)


def around_crate(scene: Scene) -> None:
    crate = scene.add(Container("blue", (0.2, 0.2, 0.06)), at=MIDDLE)
    reds = scene.add(Block("red"), 4)
    scene.goal(f"put the {reds} evenly around the {crate}", reds, around=crate)


def around_zone(scene: Scene) -> None:
    zone, reds = scene.add(Zone("blue", width=0.16), at=MIDDLE), scene.add(Block("red"), 4)
    scene.goal(f"put the {reds} evenly around the {zone}", reds, around=zone)


def beside_crate(scene: Scene) -> None:
    crate, red = scene.add(Container("blue"), at=MIDDLE), scene.add(Block("red"))
    scene.goal(f"put the {red} to the left of the {crate}", red, left_of=crate)


def row(scene: Scene) -> None:
    reds = scene.add(Block("red"), 4)
    scene.goal(f"put the {reds} in a row", reds, row=True)


def row_on_stand(scene: Scene) -> None:
    scene.add(Stand("blue", extents=(0.3, 0.1, 0.02)), at=pose(0, 0, 90))
    reds = scene.add(Block("red"), 4)
    scene.goal(f"put the {reds} in a row", reds, row=True)


def mixed_row(scene: Scene) -> None:
    things = [
        scene.add(Household("red", "soup_can")), scene.add(Household("green", "toy_car")),
        scene.add(Block("blue")), scene.add(Cylinder("yellow")),
    ]  # fmt: skip
    scene.goal("put the can, the car, the block and the cylinder in a row", things, row=True)


def anchored(scene: Scene) -> None:
    blue = scene.add(Cylinder("blue"), at=pose(0, -8), fixed=True)
    reds = scene.add(Block("red"), 3)
    scene.goal(f"put the {reds} in a row with the {blue}", reds, row=blue)


def blocks(*places: tuple[float, ...]) -> dict[str, Put]:
    """Red blocks at these places."""
    return {f"red block {k}" if k > 1 else "red block": Put(*p) for k, p in enumerate(places, 1)}


BLUE = {"blue block": Put(0, 0)}
PAIR = {"blue block": Put(0, -9), "green block": Put(0, 9)}
CASES = [
    done("8 cm to the left", LEFT, {**BLUE, **blocks((0, -8))}),
    done("to the left, 35 degrees off", LEFT, {**BLUE, **blocks((5, -7.1, 0, 30))}),
    not_done("more in front than to the left", LEFT, {**BLUE, **blocks((8, -6))}),
    not_done("to the left, but 18 cm away", LEFT, {**BLUE, **blocks((0, -18))}),
    not_done("on the other side", LEFT, {**BLUE, **blocks((0, 8))}),
    not_done("on top, towards the left", LEFT, {**BLUE, **blocks((0, -1.5, 4))}),
    done("to the right, touching", RIGHT, {**BLUE, **blocks((0, 4.1))}),
    not_done("behind it", RIGHT, {**BLUE, **blocks((-8, 0))}),
    done("behind, higher in the picture", BEHIND, {**BLUE, **blocks((-8, 2))}),
    not_done("in front, not behind", BEHIND, {**BLUE, **blocks((8, 0))}),
    done("in front, lower in the picture", FRONT, {**BLUE, **blocks((8, -2))}),
    not_done("behind, not in front", FRONT, {**BLUE, **blocks((-8, 0))}),
    done("both to the left", two_left, blocks((-3, -10), (3, -10))),
    not_done("one left, one right", two_left, blocks((0, -10), (0, 10))),
    not_done("one stands on the other", two_left, blocks((0, -10), (0, -10, 4))),
    done("2 cm beside it", NEXT, {**BLUE, **blocks((0, 6))}),
    done("next to its corner", NEXT, {**BLUE, **blocks((5.5, 5.5))}),
    done("touching it", NEXT, {**BLUE, **blocks((4, 0.5))}),
    not_done("5 cm beside it", NEXT, {**BLUE, **blocks((0, 9))}),
    not_done("on top of it", NEXT, {**BLUE, **blocks((0, 0, 4))}),
    done("a car, whichever way it faces", car,
         {"green block": Put(0, 0), "red toy car": Put(0, 5.5, yaw=180)}),
    not_done("a car on its roof on the block", car,
             {"green block": Put(0, 0), "red toy car": Put(0, 0, 4, roll=180)}),
    done("about half-way", between, {**PAIR, **blocks((1, 2, 0, 20))}),
    not_done("beside one of the two", between, {**PAIR, **blocks((0, 4.8))}),
    not_done("off the line between them", between, {**PAIR, **blocks((5, 0))}),
    not_done("beyond one of the two", between, {**PAIR, **blocks((0, 14))}),
    done("on four sides", around, blocks((10, 0), (-10, 0), (0, 10), (0, -10))),
    done("turned, and roughly even", around,
         blocks((7, 7, 0, 45), (-7, 7.5), (-7.5, -7), (6.5, -7.5))),
    not_done("all on one side", around, blocks((0, 10), (8, 7), (-8, 7), (10, 0))),
    not_done("one is missing", around, blocks((10, 0), (-10, 0), (0, 10), (4, -20))),
    not_done("one is twice as far", around, blocks((8, 0), (-8, 0), (0, 14), (0, -8))),
    not_done("one is in the bowl", around, blocks((10, 0), (-10, 0), (0, 10), (0, 0, 0.5))),
    done("around the crate", around_crate, blocks((14, 0), (-14, 0), (0, 14), (0, -14))),
    not_done("in the four corners of the crate", around_crate,
             blocks((6, 6, 0.5), (-6, 6, 0.5), (6, -6, 0.5), (-6, -6, 0.5))),
    done("around the zone, touching it", around_zone,
         blocks((10.1, 0), (-10.1, 0), (0, 10.1), (0, -10.1))),
    not_done("within the zone", around_zone, blocks((5, 0), (-5, 0), (0, 5), (0, -5))),
    done("left of the crate", beside_crate, blocks((0, -13))),
    not_done("in the left part of the crate", beside_crate, blocks((0, -6, 0.5))),
    done("in a row", row, blocks((0, -9), (0, -3), (0, 3), (0, 9))),
    done("in a row, touching and askew", row,
         blocks(*((k / 2, 0.866 * k, 0, 60) for k in (-6.6, -2.2, 2.2, 6.6)))),
    not_done("a bent row", row, blocks((0, -9), (0, -3), (2, 2.7), (5, 7.5))),
    not_done("in zigzag", row, blocks((-1.3, -8), (1.3, -3), (-1.3, 3), (1.3, 8))),
    not_done("a gap of 6 cm", row, blocks((0, -11), (0, -5), (0, 5), (0, 11))),
    not_done("two and two", row, blocks((0, -3), (0, 3), (6, -3), (6, 3))),
    not_done("a stack", row, blocks((0, 0), (0, 0, 4), (0, 0, 8), (0, 0, 12))),
    done("a row on a stand", row_on_stand, blocks((0, -9, 2), (0, -3, 2), (0, 3, 2), (0, 9, 2))),
    not_done("one of them beside the stand", row_on_stand,
             blocks((0, -3, 2), (0, 3, 2), (0, 9, 2), (0, 17.5))),
    done("different things in a row, the can lies", mixed_row,
         {"red soup can": Put(0, -14, 0, 0, 90), "green toy car": Put(0, -4, 0, 90),
          "blue block": Put(0, 4, 0, 20), "yellow cylinder": Put(0, 10)}),
    done("in a row with the cylinder", anchored, blocks((0, -2), (0, 4), (0, 10))),
    done("a row with the cylinder in it", anchored, blocks((0, -14), (0, -2), (0, 4))),
    not_done("a row beside the cylinder", anchored, blocks((8, -4), (8, 2), (8, 8))),
]  # fmt: skip
