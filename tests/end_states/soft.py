"""Ropes along paths, and piles in zones."""

from __future__ import annotations

import math

from end_states import MIDDLE, Lie, Put, done, heap, lines, not_done, pose
from gensim_envs.api import Block, Cylinder, Line, OpenSquare, Pile, Pose, Rope, Scene, Zone

HALF = 100 * Rope.LENGTH / 2
POST = HALF + 1.5 + 0.8
"""From the middle to a post at which a straight rope ends."""


def line(scene: Scene) -> None:
    rope, paint = scene.add(Rope("red")), scene.add(Line("blue", 0.226), at=pose(0, 0, 90))
    scene.goal(f"lay the {rope} along the {paint}", rope, along=paint)


def bent(scene: Scene) -> None:
    rope, paint = scene.add(Rope("red")), scene.add(OpenSquare("blue", 0.15), at=MIDDLE)
    far, left = paint.asset.edge("far"), paint.asset.edge("left")
    path = [paint.pose @ p for p in (Pose(left[0].x, left[0].y), left[1], Pose(0, far[0].y))]
    scene.goal(f"lay the {rope} along one and a half sides of the {paint}", rope, along=path)


def posts(scene: Scene) -> None:
    rope = scene.add(Rope("red"))
    pair = scene.add(Cylinder("blue", diameter=0.03), 2)
    scene.goal(f"stretch the {rope} from one {pair[0]} to the other", rope, along=list(pair))


def piers(scene: Scene) -> None:
    rope = scene.add(Rope("red"))
    pair = [
        scene.add(Cylinder("blue", diameter=0.03), at=pose(0, y), fixed=True) for y in (-POST, POST)
    ]
    scene.goal(f"stretch the {rope} from one {pair[0]} to the other", rope, along=pair)


def pile(scene: Scene) -> None:
    crumbs, zone = scene.add(Pile("red")), scene.add(Zone("blue", width=0.16), at=MIDDLE)
    scene.goal(f"sweep the {crumbs} into the {zone}", crumbs, inside=zone)


def ropes(scene: Scene) -> None:
    pair = scene.add(Rope("red"), 2)
    lines = [scene.add(Line(c, 0.226), at=pose(x, 0, 90)) for c, x in (("blue", -8), ("green", 8))]
    scene.goal(f"lay one {pair[0]} along the {lines[0]}", pair[0], along=lines[0])
    scene.goal(f"lay the other {pair[0]} along the {lines[1]}", pair[1], along=lines[1])


def piles(scene: Scene) -> None:
    pair = scene.add(Pile("red", count=20), 2)
    zones = [scene.add(Zone(c, 0.14), at=pose(0, y)) for c, y in (("blue", -14), ("green", 14))]
    scene.goal(f"sweep one {pair[0]} into the {zones[0]}", pair[0], inside=zones[0])
    scene.goal(f"sweep the other {pair[0]} into the {zones[1]}", pair[1], inside=zones[1])


def two_posts(scene: Scene) -> None:
    rope, pair = scene.add(Rope("red")), scene.add(Cylinder("blue", diameter=0.03), 2)
    scene.distract(Cylinder("green", diameter=0.03))
    scene.goal(f"stretch the {rope} from one {pair[0]} to the other", rope, along=list(pair))


def clean(scene: Scene) -> None:
    crumbs, zone = scene.add(Pile("red")), scene.add(Zone("blue", width=0.16), at=MIDDLE)
    scene.distract(Block("green"))
    scene.goal(f"sweep the {crumbs} into the {zone}", crumbs, inside=zone)


def wave(amplitude: float, period: float) -> Lie:
    """A rope in waves along the line, centred."""
    along = [0.0]
    for _ in range(19):
        low, high = 0.0, 1.2
        for _ in range(40):
            mid = (low + high) / 2
            step = _rise(along[-1] + mid, amplitude, period) - _rise(along[-1], amplitude, period)
            low, high = (mid, high) if math.hypot(mid, step) < 1.2 else (low, mid)
        along.append(along[-1] + low)
    return Lie(tuple((_rise(y, amplitude, period), y - along[-1] / 2) for y in along))


def _rise(y: float, amplitude: float, period: float) -> float:
    return amplitude * math.sin(math.tau * y / period)


def crumbs(x: float, y: float) -> Lie:
    """Twenty crumbs about a point."""
    return Lie(tuple((x + 1.3 * (k // 5 - 1.5), y + 1.3 * (k % 5 - 2)) for k in range(20)))


def shifted(x: float, y: float) -> Lie:
    """A straight rope, shifted across and along its line."""
    return lines((x, y - HALF), (90, 19))


STANDING = {"blue cylinder": Put(0, -POST), "blue cylinder 2": Put(0, POST)}
CORNER = lines((-7.5, -7.5), (90, 12), (0, 7))
HEAP = Lie(tuple((1.02 * (k % 13 // 4), 1.02 * (k % 13 % 4)) for k in range(50)), layers=4)
CASES = [
    done("on the line", line, {"red rope": shifted(0, 0)}),
    done("the other way round", line, {"red rope": lines((0, HALF), (-90, 19))}),
    done("12 mm along the line", line, {"red rope": shifted(0, 1.2)}),
    done("6 mm beside the line", line, {"red rope": shifted(0.6, 0)}),
    done("in slight waves", line, {"red rope": wave(0.4, 8)}),
    not_done("30 mm along the line", line, {"red rope": shifted(0, 3)}),
    not_done("15 mm beside the line", line, {"red rope": shifted(1.5, 0)}),
    not_done("in zigzag", line, {"red rope": wave(2, 6)}),
    not_done("at 20 degrees to the line", line, {"red rope": lines((-3.9, -10.7), (70, 19))}),
    not_done("half of it bends away", line, {"red rope": lines((0, -HALF), (90, 9), (30, 10))}),
    not_done("folded back", line,
             {"red rope": lines((0, -HALF), (90, 12), (30, 1), (-90, 6))}),
    not_done("a small loop in the middle", line,
             {"red rope": lines((0, -HALF), (90, 8), (0, 1), (-90, 2), (180, 1), (90, 7))}),
    not_done("across the line", line, {"red rope": lines((-HALF, 0), (0, 19))}),
    done("round the corner", bent, {"red rope": CORNER}),
    not_done("cuts the corner", bent, {"red rope": lines((-7.5, -7.5), (52, 19))}),
    done("from post to post", posts, {**STANDING, "red rope": shifted(0, 0)}),
    done("from pier to pier", piers, {"red rope": shifted(0, 0)}),
    not_done("beside the posts", posts, {**STANDING, "red rope": shifted(4, 0)}),
    not_done("it ends at one post only", posts,
             {**STANDING, "red rope": lines((0, -HALF), (90, 9), (20, 10))}),
    done("either of two equal ropes on either line", ropes,
         {"red rope": shifted(8, 0), "red rope 2": shifted(-8, 0)}),
    not_done("both on one line", ropes,
             {"red rope": shifted(-8.4, 0), "red rope 2": shifted(-7.6, 0)}),
    not_done("it ends at a post of another colour", two_posts,
             {"blue cylinder": Put(0, -POST), "blue cylinder 2": Put(14, 0),
              "green cylinder": Put(0, POST), "red rope": shifted(0, 0)}),
    done("either of two equal piles in either zone", piles,
         {"red pile": crumbs(0, 14), "red pile 2": crumbs(0, -14)}),
    not_done("both in one zone", piles,
             {"red pile": crumbs(-3, -14), "red pile 2": crumbs(3, -14)}),
    done("heaped up in the zone", pile, {"red pile": HEAP}),
    done("all crumbs inside", pile, {"red pile": heap(0, 0)}),
    done("one reaches 3 mm over the border", pile, {"red pile": heap(0, 0, (0, 8.3))}),
    not_done("one crumb is 2 cm outside", pile, {"red pile": heap(0, 0, (0, 10))}),
    not_done("three crumbs are 10 cm outside", pile,
             {"red pile": heap(0, 0, (0, 18), (1, 18), (0, 19.5))}),
    not_done("the pile lies beside the zone", pile, {"red pile": heap(0, 20)}),
    not_done("one crumb fell off the table", pile, {"red pile": heap(0, 0, (0, 95))},
             violation="fallen off"),
    done("the block is beside the zone", clean,
         {"red pile": heap(0, 0), "green block": Put(0, 14)}),
    not_done("a distracting block is in the zone", clean,
             {"red pile": heap(0, 1.5), "green block": Put(0, -5.8)}),
]  # fmt: skip
