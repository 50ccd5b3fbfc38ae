"""The order of goals, and rules that hold during the whole episode."""

from __future__ import annotations

from end_states import MIDDLE, Put, done, lines, not_done, pose
from gensim_envs.api import (
    Block,
    Bowl,
    Box,
    Container,
    Cylinder,
    Disk,
    Household,
    Line,
    PegStand,
    Pose,
    Rope,
    Scene,
    Stand,
    Zone,
)


def in_order(scene: Scene) -> None:
    red, blue = scene.add(Block("red")), scene.add(Block("blue"))
    tray = scene.add(Container("cyan"), at=MIDDLE)
    scene.ordered()
    scene.goal(f"first put the {red} into the {tray}", red, inside=tray)
    scene.goal(f"then put the {blue} into the {tray}", blue, inside=tray)


def twins_in_order(scene: Scene) -> None:
    reds, blue = scene.add(Block("red"), 2), scene.add(Block("blue"))
    tray = scene.add(Container("cyan"), at=MIDDLE)
    scene.ordered()
    scene.goal(f"first put one red block into the {tray}", reds[0], inside=tray)
    scene.goal(f"then put the {blue} into the {tray}", blue, inside=tray)
    scene.goal("then put the other red block into it", reds[1], inside=tray)


def in_any_order(scene: Scene) -> None:
    red, blue = scene.add(Block("red")), scene.add(Block("blue"))
    left, right = (scene.add(Zone(c), at=pose(0, y)) for c, y in (("cyan", -9), ("green", 9)))
    scene.goal(f"put the {red} into the {left}", red, inside=left)
    scene.goal(f"put the {blue} into the {right}", blue, inside=right)


def there_and_on(scene: Scene) -> None:
    red = scene.add(Block("red"))
    left, right = (scene.add(Zone(c), at=pose(0, y)) for c, y in (("cyan", -9), ("green", 9)))
    scene.goal(f"put the {red} into the {left}", red, inside=left)
    scene.goal(f"now put it into the {right}", red, inside=right)


def hanoi(scene: Scene) -> None:
    stand = scene.add(PegStand("brown"), at=pose(0, 0, 90))
    first = [stand.pose @ stand.asset.peg(0, level) for level in (0, 1)]
    large = scene.add(Disk("blue", diameter=0.10), at=first[0])
    small = scene.add(Disk("red", diameter=0.06), at=first[1])
    scene.never_on(large, small)
    scene.stays_on([small, large], stand)
    scene.goal(
        "move both disks onto the dark peg; never put the large one on the small one, nor either"
        " one beside the pegs",
        [large, small],
        at=[stand.pose @ stand.asset.peg(2, k) for k in (0, 1)],
    )


def towers(scene: Scene) -> None:
    zone = scene.add(Zone("cyan", width=0.2), at=MIDDLE)
    small, large = scene.add(Block("red")), scene.add(Box("blue", extents=(0.08, 0.08, 0.03)))
    scene.never_on(large, small)
    scene.goal(f"bring the {small} and the {large} into the {zone}; never put the {large} on the"
               f" {small}", [small, large], inside=zone)  # fmt: skip


def staying(scene: Scene) -> None:
    stand = scene.add(Stand("cyan"), at=MIDDLE)
    pair = [
        scene.add(Block(color), at=stand.pose @ Pose(x, 0, 0.015))
        for color, x in (("red", -0.05), ("blue", 0.05))
    ]
    scene.stays_on(pair, stand)
    scene.goal(
        f"put the {pair[0]} on the {pair[1]}; put neither down beside the {stand}", pair[0],
        on=pair[1],
    )  # fmt: skip


def rope_last(scene: Scene) -> None:
    red = scene.add(Block("red"))
    rope, line = scene.add(Rope("blue")), scene.add(Line("cyan", 0.226), at=pose(0, 0, 90))
    zone = scene.add(Zone("green"), at=pose(12, 0))
    scene.ordered()
    scene.goal(f"first put the {red} into the {zone}", red, inside=zone)
    scene.goal(f"then lay the {rope} along the {line}", rope, along=line)


def vase(scene: Scene) -> None:
    red, bowl = scene.add(Block("red")), scene.add(Bowl("blue"), at=MIDDLE, fixed=True)
    guard = scene.add(Household("green", "toy_train"), at=pose(0, 12))
    scene.untouched(guard)
    scene.goal(f"put the {red} into the {bowl} without moving the {guard}", red, inside=bowl)


def beaker(scene: Scene) -> None:
    red, bowl = scene.add(Block("red")), scene.add(Bowl("blue"), at=MIDDLE, fixed=True)
    guard = scene.add(Cylinder("green", length=0.02), at=pose(0, 12))
    scene.untouched(guard)
    scene.goal(f"put the {red} into the {bowl} without moving the {guard}", red, inside=bowl)


IN = {"red block": Put(0, -4, 0.5)}
PEGS = {"red disk": Put(0, -12, 3), "blue disk": Put(0, -12, 1)}
STAYS = {"green toy train": Put(0, 12)}
SET = {"red block": Put(0, 0, 0.5)}
CASES = [
    done("red, then blue", in_order, IN, {"blue block": Put(0, 4, 0.5)}),
    done("blue set aside, red, then blue", in_order, {"blue block": Put(0, 14)}, IN,
         {"blue block": Put(0, 4, 0.5)}),
    not_done("blue first", in_order, {"blue block": Put(0, 4, 0.5)}, IN,
             violation="before its turn"),
    not_done("red only", in_order, IN),
    done("either red one, then blue, then the other", twins_in_order,
         {"red block 2": Put(0, -5, 0.5)}, {"blue block": Put(0, 0, 0.5)},
         {"red block": Put(0, 5, 0.5)}),
    not_done("both red ones before blue", twins_in_order,
             {"red block 2": Put(0, -5, 0.5)}, {"red block": Put(0, 5, 0.5)},
             {"blue block": Put(0, 0, 0.5)}, violation="before its turn"),
    done("no order is asked for", in_any_order,
         {"blue block": Put(0, 9)}, {"red block": Put(0, -9)}),
    not_done("the first one was taken out again", in_any_order,
             {"red block": Put(0, -9)}, {"red block": Put(15, 0), "blue block": Put(0, 9)}),
    done("there, and on", there_and_on, {"red block": Put(0, -9)}, {"red block": Put(0, 9)}),
    not_done("straight to the second zone", there_and_on, {"red block": Put(0, 9)}),
    not_done("still in the first zone", there_and_on, {"red block": Put(0, -9)}),
    done("by the middle peg", hanoi, PEGS, {"red disk": Put(0, 0, 1)}, {"blue disk": Put(0, 12, 1)},
         {"red disk": Put(0, 12, 3)}),
    not_done("the large one on the small one", hanoi, PEGS, {"red disk": Put(0, 12, 1)},
             {"blue disk": Put(0, 12, 3)}, violation="stands on"),
    not_done("the small one beside the board", hanoi, PEGS, {"red disk": Put(15, 0)},
             {"blue disk": Put(0, 12, 1)}, {"red disk": Put(0, 12, 3)}, violation="has left"),
    not_done("the small one between two pegs", hanoi, PEGS, {"red disk": Put(0, 6, 1)},
             {"blue disk": Put(0, 12, 1)}, {"red disk": Put(0, 12, 3)}, violation="has left"),
    done("the small one on the large one", towers,
         {"blue box": Put(0, 0), "red block": Put(0, 0, 3)}),
    not_done("the large one on the small one, on the table", towers,
             {"red block": Put(0, 0), "blue box": Put(0, 0, 4)},
             {"red block": Put(0, -6), "blue box": Put(0, 3)}, violation="stands on"),
    done("one on the other, on the stand", staying,
         {"red block": Put(5, 0, 5.5), "blue block": Put(5, 0, 1.5)}),
    not_done("the red one was on the table meanwhile", staying,
             {"red block": Put(0, 8), "blue block": Put(5, 0, 1.5)}, {"red block": Put(5, 0, 5.5)},
             violation="has left"),
    done("the block, then the rope", rope_last, {"red block": Put(12, 0)},
         {"blue rope": lines((0, -11.4), (90, 19))}),
    not_done("the rope first", rope_last, {"blue rope": lines((0, -11.4), (90, 19))},
             {"red block": Put(12, 0)}, violation="before its turn"),
    done("the train stands where it stood", vase, {**SET, **STAYS}),
    done("the train was nudged by 1 cm", vase, {**SET, "green toy train": Put(0.7, 12.7)}),
    not_done("the train was moved by 4 cm", vase, {**SET, "green toy train": Put(0, 16)},
             violation="was moved"),
    not_done("the train was turned", vase, {**SET, "green toy train": Put(0, 12, yaw=40)},
             violation="was moved"),
    not_done("the train was toppled", vase, {**SET, "green toy train": Put(0, 12, roll=90)},
             violation="was moved"),
    not_done("the train was put back after a while", vase,
             {"green toy train": Put(0, 22)}, {**SET, **STAYS}, violation="was moved"),
    not_done("the cylinder was lifted onto the block", beaker,
             {"red block": Put(0, 12), "green cylinder": Put(0, 12, 4)},
             violation="was moved"),
]  # fmt: skip
