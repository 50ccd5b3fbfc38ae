"""Patterns, and equal things that stand for one another."""

from __future__ import annotations

import math

from end_states import MIDDLE, Put, done, not_done, pose
from end_states.regions import blocks
from gensim_envs.api import Block, Bowl, Box, Cylinder, Household, Pose, Scene, Zone, ring, stack

SIDE = 0.08
ELL = (Pose(0, 0), Pose(SIDE, 0), Pose(0, 1.5 * SIDE))


def square(scene: Scene) -> None:
    frame = scene.pattern()
    reds = scene.add(Block("red"), 4)
    places = [frame @ Pose(x, y) for x in (0, SIDE) for y in (0, SIDE)]
    scene.goal(f"put the {reds} on the corners of a square of 8 cm", reds, at=places)


def ell(scene: Scene) -> None:
    frame = scene.pattern()
    three = [scene.add(Block(color)) for color in ("red", "blue", "green")]
    scene.goal(
        "form a right angle with the red block in the corner: the blue one 8 cm from it, the green"
        " one 12 cm", three, at=[frame @ place for place in ELL],
    )  # fmt: skip


def right_ell(scene: Scene) -> None:
    frame = scene.pattern(mirror=False)
    three = [scene.add(Block(color)) for color in ("red", "blue", "green")]
    scene.goal(
        "form a right angle: as seen from the red block towards the blue one, 8 cm away, the green"
        " one is 12 cm to the left", three, at=[frame @ place for place in ELL],
    )  # fmt: skip


def wheel(scene: Scene) -> None:
    hub = scene.add(Bowl("blue"), at=MIDDLE, fixed=True)
    rim = scene.add(Block("red"), 5)
    frame = scene.pattern(anchor=hub)
    scene.goal(f"build a wheel of {rim} around the {hub}, 10 cm from its middle", rim,
               at=[frame @ place for place in ring(Pose(0, 0), 5, 0.1)])  # fmt: skip


def bridge(scene: Scene) -> None:
    frame = scene.pattern()
    piers = scene.add(Box("red", extents=(0.04, 0.04, 0.04)), 2)
    deck = scene.add(Box("blue", extents=(0.14, 0.04, 0.015)))
    car = scene.add(Household("green", "toy_train"))
    places = [frame @ Pose(x, 0) for x in (-0.045, 0.045)]
    scene.goal(f"put up two {piers} 9 cm apart", piers, at=places)
    scene.goal(f"lay the {deck} on both as a bridge", deck, on=tuple(piers))
    scene.goal(f"put the {car} on the {deck}", car, on=deck)


def tower(scene: Scene) -> None:
    frame = scene.pattern()
    reds = scene.add(Block("red"), 3)
    scene.goal(f"stack the {reds}", reds, at=stack(frame, 3, 0.04))


def storeys(scene: Scene) -> None:
    frame = scene.pattern()
    posts = scene.add(Block("red"), 2)
    slab = scene.add(Box("blue", extents=(0.14, 0.06, 0.015)))
    top = scene.add(Cylinder("green"))
    scene.goal(f"set up two {posts} 8 cm apart", posts, at=[frame, frame @ Pose(SIDE, 0)])
    scene.goal(f"lay the {slab} over them", slab, at=frame @ Pose(SIDE / 2, 0, 0.04))
    scene.goal(f"put the {top} on the middle of the {slab}", top,
               at=frame @ Pose(SIDE / 2, 0, 0.055))  # fmt: skip


def rails(scene: Scene) -> None:
    frame = scene.pattern()
    pair = scene.add(Box("red", extents=(0.12, 0.02, 0.02)), 2)
    scene.goal(f"lay the two {pair} parallel, 6 cm apart", pair,
               at=[frame, frame @ Pose(0, 0.06)], facing=True)  # fmt: skip


def cars(scene: Scene) -> None:
    frame = scene.pattern()
    pair = scene.add(Household("red", "toy_car"), 2)
    scene.goal("park the two red cars side by side, 8 cm apart, facing the same way", pair,
               at=[frame, frame @ Pose(0, 0.08)], facing=True)  # fmt: skip


def twins(scene: Scene) -> None:
    reds = scene.add(Block("red"), 2)
    bowl = scene.add(Bowl("blue"), at=pose(0, -9), fixed=True)
    zone = scene.add(Zone("green"), at=pose(0, 9))
    scene.goal("put one red block into the blue bowl", reds[0], inside=bowl)
    scene.goal("put the other red block into the green zone", reds[1], inside=zone)


def moved_twins(scene: Scene) -> None:
    reds = scene.add(Block("red"), 2)
    blue = scene.add(Zone("blue", width=0.14), at=pose(0, -9))
    green = scene.add(Zone("green", width=0.14), at=pose(0, 9))
    scene.goal("put both red blocks into the blue zone", reds, inside=blue)
    scene.goal("put one of them into the green zone", reds[0], inside=green)


def layers(scene: Scene) -> None:
    reds, blue = scene.add(Block("red"), 2), scene.add(Block("blue"))
    scene.goal("put the blue block on a red block", blue, on=reds[0])
    scene.goal("put the other red block on the blue block", reds[1], on=blue)


def turned(x: float, y: float, degrees: float, *places: Pose, mirror: bool = False) -> list[Put]:
    """Places of a pattern, centimetres, mirrored, rotated and shifted."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    flip = -1 if mirror else 1
    return [
        Put(x + 100 * (c * p.x - s * flip * p.y), y + 100 * (s * p.x + c * flip * p.y), yaw=degrees)
        for p in places
    ]


def ell_at(x: float, y: float, degrees: float, mirror: bool = False) -> dict[str, Put]:
    colors = ("red block", "blue block", "green block")
    return dict(zip(colors, turned(x, y, degrees, *ELL, mirror=mirror), strict=True))


def rim(radius: float, first: float, *skew: float) -> dict[str, Put]:
    """Five blocks about the middle, each `skew` degrees off even angles."""
    angles = [first + 72 * k + (skew[k] if k < len(skew) else 0) for k in range(5)]
    return blocks(*(
        (radius * math.cos(math.radians(a)), radius * math.sin(math.radians(a)), 0, a)
        for a in angles
    ))  # fmt: skip


PIERS = {"red box": Put(0, -4.5), "red box 2": Put(0, 4.5)}
DECK = {"blue box": Put(0, 0, 4, 90)}
POSTS = {"red block": Put(0, -4), "red block 2": Put(0, 4)}
SLAB = {"blue box": Put(0, 0, 4, 90)}
CASES = [
    done("a square, aligned", square, blocks((-4, -4), (-4, 4), (4, -4), (4, 4))),
    done("a square, elsewhere and turned", square,
         blocks((3, 8, 0, 45), (-2.7, 13.7), (8.7, 13.7), (3, 19.3))),
    done("each block 4 mm off", square,
         blocks((-4.3, -4.2), (-3.7, 4.3), (4.3, -4), (4, 3.8))),
    not_done("one corner 25 mm off", square, blocks((-4, -4), (-4, 4), (4, -4), (5.8, 5.8))),
    not_done("a rhombus", square, blocks((0, 0), (0, 8), (6.9, 4), (6.9, 12))),
    not_done("a larger square", square, blocks((-6, -6), (-6, 6), (6, -6), (6, 6))),
    not_done("a row", square, blocks((0, -12), (0, -4), (0, 4), (0, 12))),
    done("a right angle, turned", ell, ell_at(2, 0, 130)),
    done("its mirror image", ell, ell_at(0, 0, -40, mirror=True)),
    not_done("another one in the corner", ell,
             {"blue block": Put(0, 0), "red block": Put(8, 0), "green block": Put(0, 12)}),
    not_done("not a right angle", ell,
             {"red block": Put(0, 0), "blue block": Put(8, 0), "green block": Put(-6, 10.4)}),
    done("the green one to the left", right_ell, ell_at(2, 0, 130)),
    not_done("the green one to the right", right_ell, ell_at(0, 0, -40, mirror=True)),
    done("a wheel, turned", wheel, rim(10, 20)),
    done("a wheel, a little uneven", wheel, rim(10, 0, 3, -3, 3)),
    not_done("a wheel beside the hub", wheel,
             {k: Put(p.x, p.y + 8, p.z, p.yaw) for k, p in rim(10, 0).items()}),
    not_done("a wheel with a gap", wheel, rim(10, 0, 0, 0, 0, -18, -30)),
    not_done("a wheel that is too small", wheel, rim(8, 0)),
    done("the bridge, the train in one direction", bridge, PIERS, DECK,
         {"green toy train": Put(0, 0, 5.5, 90)}),
    done("the bridge, the train in the other direction", bridge, PIERS, DECK,
         {"green toy train": Put(0, 0, 5.5, -90)}),
    done("the bridge 5 cm beside", bridge,
         {"red box": Put(5, -4.5), "red box 2": Put(5, 4.5)}, {"blue box": Put(5, 0, 4, 90)},
         {"green toy train": Put(5, 0, 5.5, 90)}),
    not_done("the train beside the bridge", bridge, PIERS, DECK,
             {"green toy train": Put(8, 0, 0, 90)}),
    not_done("the piers are 13 cm apart", bridge,
             {"red box": Put(0, -6.5), "red box 2": Put(0, 6.5)}, DECK,
             {"green toy train": Put(0, 0, 5.5, 90)}),
    done("a tower anywhere, in any order", tower, blocks((6, 9, 8, 10), (6, 9), (6, 9, 4))),
    done("a crooked tower", tower, blocks((0, 0), (0.6, 0, 4), (0.2, 0.3, 8))),
    not_done("a tower of two", tower, blocks((0, 0), (0, 0, 4), (0, 6))),
    not_done("a staircase", tower, blocks((0, 0), (1.6, 0, 4), (3.2, 0, 8))),
    done("three storeys", storeys, POSTS, SLAB, {"green cylinder": Put(0, 0.3, 5.5)}),
    not_done("the last storey at the end", storeys, POSTS, SLAB,
             {"green cylinder": Put(0, 5, 5.5)}),
    not_done("the slab elsewhere, the cylinder on it", storeys, POSTS,
             {"blue box": Put(12, 0, 0, 90), "green cylinder": Put(12, 0, 1.5)}),
    done("parallel", rails, {"red box": Put(0, 0, yaw=20), "red box 2": Put(-2.05, 5.6, yaw=20)}),
    not_done("at a right angle", rails, {"red box": Put(0, -4, yaw=90), "red box 2": Put(0, 8)}),
    not_done("one behind the other", rails, {"red box": Put(0, 0), "red box 2": Put(6, 9)}),
    done("side by side, both turned round", cars,
         {"red toy car": Put(0, -4, yaw=180), "red toy car 2": Put(0, 4, yaw=180)}),
    not_done("side by side, in opposite directions", cars,
             {"red toy car": Put(0, -4), "red toy car 2": Put(0, 4, yaw=180)}),
    done("either twin for either goal", twins,
         {"red block 2": Put(0, -9, 0.5)}, {"red block": Put(0, 9)}),
    not_done("both in the bowl", twins,
             {"red block": Put(0, -11, 0.5), "red block 2": Put(0, -7, 0.5)}),
    done("either of them goes on", moved_twins,
         {"red block": Put(0, -12), "red block 2": Put(0, -6)}, {"red block 2": Put(0, 9)}),
    not_done("both go on", moved_twins,
             {"red block": Put(0, -12), "red block 2": Put(0, -6)},
             {"red block": Put(0, 6), "red block 2": Put(0, 12)}),
    done("the other red block below", layers,
         {"red block 2": Put(0, 0), "blue block": Put(0, 0, 4)}, {"red block": Put(0, 0, 8)}),
    not_done("blue on top", layers,
             {"red block": Put(0, 0), "red block 2": Put(0, 0, 4), "blue block": Put(0, 0, 8)}),
]  # fmt: skip
