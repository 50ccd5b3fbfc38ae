"""On other things."""

from __future__ import annotations

import math

from end_states import MIDDLE, Put, done, not_done
from gensim_envs.api import Block, Box, Household, Pallet, Pose, Scene, Stand

LONG, SIZE = "red box", (0.16, 0.04, 0.02)


def block(scene: Scene) -> None:
    blue, red = scene.add(Block("blue")), scene.add(Block("red"))
    scene.goal(f"put the {red} on the {blue}", red, on=blue)


def three(scene: Scene) -> None:
    blue, red = scene.add(Block("blue")), scene.add(Block("red"))
    scene.goal(f"put the {red} on the {blue}", red, on=blue)
    scene.distract(Block("green"))


def plank(scene: Scene) -> None:
    blue, red = scene.add(Block("blue")), scene.add(Box("red", extents=SIZE))
    scene.goal(f"put the {red} on the {blue}", red, on=blue)


def beam(scene: Scene) -> None:
    blue, green = scene.add(Block("blue")), scene.add(Block("green"))
    red = scene.add(Box("red", extents=SIZE))
    scene.goal(f"lay the {red} on the {blue} and the {green}", red, on=(blue, green))


def carton(scene: Scene) -> None:
    stand = scene.add(Stand("blue"), at=MIDDLE)
    milk = scene.add(Household("white", "milk_carton"))
    scene.goal(f"put the {milk} on the {stand}", milk, on=stand)


def cake(scene: Scene) -> None:
    stand = scene.add(Stand("blue", extents=(0.15, 0.15, 0.02)), at=MIDDLE)
    things = [scene.add(Household("pink", "cupcake")), scene.add(Household("red", "toy_car"))]
    scene.goal(f"put the {things[0]} and the {things[1]} on the {stand}", things, on=stand)


def offset(scene: Scene) -> None:
    stand, red = scene.add(Stand("blue"), at=MIDDLE), scene.add(Block("red"))
    scene.goal(f"put the {red} on the {stand}, 5 cm below its middle", red, on=stand,
               offset=Pose(0.05, 0.0))  # fmt: skip


def middle(scene: Scene) -> None:
    stand, red = scene.add(Stand("blue"), at=MIDDLE), scene.add(Block("red"))
    scene.goal(f"put the {red} on the middle of the {stand}", red, on=stand, part="middle")


def end(scene: Scene) -> None:
    stand, red = scene.add(Stand("blue"), at=MIDDLE), scene.add(Block("red"))
    scene.goal(f"put the {red} on an end of the {stand}", red, on=stand, part="end")


def ends(scene: Scene) -> None:
    stand, reds = scene.add(Stand("blue"), at=MIDDLE), scene.add(Block("red"), 2)
    scene.goal(f"put a {reds[0]} on each end of the {stand}", reds, on=stand, part="ends")


def either_end(scene: Scene) -> None:
    stand = scene.add(Stand("blue"), at=MIDDLE)
    things = [scene.add(Block("red")), scene.add(Block("green"))]
    scene.goal(f"put the {things[0]} and the {things[1]} on the {stand}, one on each end", things,
               on=stand, part="ends")  # fmt: skip


def edge(scene: Scene) -> None:
    pallet, red = scene.add(Pallet("brown"), at=MIDDLE), scene.add(Block("red"))
    scene.goal(f"put the {red} at the edge of the {pallet}", red, on=pallet, part="edge")


def facing(scene: Scene) -> None:
    stand, red = scene.add(Stand("blue"), at=MIDDLE), scene.add(Box("red"))
    scene.goal(f"put the {red} across the {stand}", red, on=stand, facing=math.pi / 2)


def each(scene: Scene) -> None:
    stands = [scene.add(Stand("blue"), at=MIDDLE @ Pose(0, y)) for y in (-0.06, 0.06)]
    reds = scene.add(Block("red"), 2)
    scene.goal(f"put a {reds[0]} on each {stands[0]}", reds, on=stands)


def distracted(scene: Scene) -> None:
    stand, red = scene.add(Stand("blue"), at=MIDDLE), scene.add(Block("red"))
    scene.distract(Block("green"))
    scene.goal(f"put the {red} on the {stand}", red, on=stand)


BLUE, POSTS = {"blue block": Put(0, 0)}, {"blue block": Put(0, -5), "green block": Put(0, 5)}
CASES = [
    done("15 mm off and twisted", block, {**BLUE, "red block": Put(1.5, 0, 4, 30)}),
    done("wherever the base is now", block,
         {"blue block": Put(5, 6, yaw=20), "red block": Put(5, 6, 4)}),
    not_done("beside it", block, {**BLUE, "red block": Put(0, 4.5)}),
    not_done("under it", block, {"red block": Put(0, 0), "blue block": Put(0, 0, 4)}),
    not_done("with another one between", three,
             {**BLUE, "green block": Put(0, 0, 4), "red block": Put(0, 0, 8)}),
    done("another one stands on top", three,
         {**BLUE, "red block": Put(0, 0, 4), "green block": Put(0, 0, 8)}),
    done("lies flat", plank, {**BLUE, LONG: Put(0, 0.5, 4)}),
    done("lies on its edge", plank, {**BLUE, LONG: Put(0, 0, 4, roll=90)}),
    not_done("leans on its side", plank, {**BLUE, LONG: Put(5.2, 0, 0, pitch=18)}),
    done("on both", beam, {**POSTS, LONG: Put(0, 1, 4, 90)}),
    done("on both, askew", beam, {**POSTS, LONG: Put(0.5, 0, 4, 80)}),
    not_done("on one of two", beam, {**POSTS, LONG: Put(0, -5, 4)}),
    not_done("from one down to the table", beam,
             {"blue block": Put(0, -5), "green block": Put(12, 5),
              LONG: Put(0, 0, 0, 90, pitch=-18)}),
    not_done("the second one is elsewhere", beam,
             {"blue block": Put(0, 0), "green block": Put(0, 15), LONG: Put(0, 0, 4, 90)}),
    done("a carton stands", carton, {"white milk carton": Put(0, 0, 1.5, 40)}),
    done("a carton lies", carton, {"white milk carton": Put(0, 0, 1.5, pitch=90)}),
    not_done("a carton leans on the stand", carton,
             {"white milk carton": Put(0, 5.4, 0, roll=35)}),
    done("a cupcake lies, a car stands on its side", cake,
         {"pink cupcake": Put(-3.5, 0, 2, 90), "red toy car": Put(3, 0, 2, roll=90)}),
    not_done("the car hangs over the edge", cake,
             {"pink cupcake": Put(-3.5, 0, 2, 90), "red toy car": Put(3, 8.5, 0, 0, 60)}),
    done("8 mm off, at any heading", offset, {"red block": Put(5.8, 0, 1.5, 45)}),
    not_done("on the other side", offset, {"red block": Put(-5, 0, 1.5)}),
    not_done("16 mm off", offset, {"red block": Put(3.4, 0, 1.5)}),
    done("about the middle", middle, {"red block": Put(2, 0.5, 1.5)}),
    not_done("near the end", middle, {"red block": Put(5, 0, 1.5)}),
    done("on one end", end, {"red block": Put(6, 0, 1.5)}),
    done("on the other end", end, {"red block": Put(-6, 0, 1.5, 30)}),
    not_done("in the middle", end, {"red block": Put(1, 0, 1.5)}),
    done("one on each end", ends, {"red block": Put(-6, 0, 1.5), "red block 2": Put(6, 0, 1.5)}),
    not_done("both on one end", ends, {"red block": Put(7, 0, 1.5), "red block 2": Put(3, 0, 1.5)}),
    done("two colours, one on each end", either_end,
         {"red block": Put(-6, 0, 1.5), "green block": Put(6, 0, 1.5)}),
    done("two colours, the other way round", either_end,
         {"red block": Put(6, 0, 1.5), "green block": Put(-6, 0, 1.5)}),
    done("at a long edge", edge, {"red block": Put(0, 7, 2)}),
    not_done("far from all edges", edge, {"red block": Put(0, 0, 2)}),
    done("across, 8 degrees off", facing, {"red box": Put(2, 0, 1.5, 98)}),
    done("across, the other way round", facing, {"red box": Put(-2, 0, 1.5, 270)}),
    not_done("along", facing, {"red box": Put(0, 0, 1.5, 0)}),
    not_done("at 45 degrees", facing, {"red box": Put(0, 0, 1.5, 45)}),
    done("one on each stand", each, {"red block": Put(0, 6, 1.5), "red block 2": Put(4, -6, 1.5)}),
    not_done("two on one stand", each,
             {"red block": Put(4, 6, 1.5), "red block 2": Put(-4, 6, 1.5)}),
    not_done("the distractor is there too", distracted,
             {"red block": Put(4, 0, 1.5), "green block": Put(-4, 0, 1.5)}),
    done("the distractor is beside it", distracted,
         {"red block": Put(4, 0, 1.5), "green block": Put(0, 8)}),
]  # fmt: skip
