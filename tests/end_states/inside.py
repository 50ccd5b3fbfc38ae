"""In bowls and containers, on zones, `only`, and distractors."""

from __future__ import annotations

from end_states import MIDDLE, Put, done, heap, not_done, pose
from gensim_envs.api import Ball, Block, Bowl, Box, Container, Household, Pile, Scene, Zone

BIG = (0.08, 0.06, 0.04)


def bowl(scene: Scene) -> None:
    red, blue = scene.add(Block("red")), scene.add(Bowl("blue"), at=MIDDLE, fixed=True)
    scene.goal(f"put the {red} into the {blue}", red, inside=blue)


def loose_bowl(scene: Scene) -> None:
    red, blue = scene.add(Block("red")), scene.add(Bowl("blue"))
    scene.goal(f"put the {red} into the {blue}", red, inside=blue)


def bowl_in_crate(scene: Scene) -> None:
    green, red = scene.add(Bowl("green")), scene.add(Block("red"))
    blue = scene.add(Container("blue"), at=MIDDLE)
    scene.goal(f"put the {green} and the {red} into the {blue}", [green, red], inside=blue)


def bowl_of_blocks(scene: Scene) -> None:
    reds, blue = scene.add(Block("red"), 2), scene.add(Bowl("blue"), at=MIDDLE, fixed=True)
    scene.goal(f"put the {reds} into the {blue}", reds, inside=blue)


def bowl_and_plank(scene: Scene) -> None:
    red = scene.add(Box("red", extents=(0.14, 0.03, 0.015)))
    blue = scene.add(Bowl("blue"), at=MIDDLE, fixed=True)
    scene.goal(f"put the {red} into the {blue}", red, inside=blue)


def bowls(scene: Scene) -> None:
    blues = [scene.add(Bowl("blue"), at=pose(0, y), fixed=True) for y in (-8, 8)]
    balls = [scene.add(Ball("red")), scene.add(Ball("green"))]
    scene.goal("put one ball into each bowl", balls, inside=blues)


def crate(scene: Scene) -> None:
    reds = scene.add(Box("red", extents=BIG), 5)
    blue = scene.add(Container("blue"), at=MIDDLE)
    scene.goal(f"pack all the {reds} into the {blue}", reds, inside=blue)


def crate_and_slab(scene: Scene) -> None:
    red = scene.add(Box("red", extents=BIG))
    green = scene.add(Box("green", extents=(0.08, 0.06, 0.02)))
    blue = scene.add(Container("blue"), at=MIDDLE)
    scene.goal(f"pack the {red} and the {green} into the {blue}", [red, green], inside=blue)


def can(scene: Scene) -> None:
    red, camera = scene.add(Household("red", "soup_can")), scene.add(Household("black", "camera"))
    blue = scene.add(Container("blue"), at=MIDDLE)
    scene.goal(f"pack the {red} and the {camera} into the {blue}", [red, camera], inside=blue)


def carton(scene: Scene) -> None:
    milk = scene.add(Household("white", "milk_carton"))
    blue = scene.add(Container("blue"), at=MIDDLE)
    scene.goal(f"put the {milk} into the {blue}", milk, inside=blue)


def bottle(scene: Scene) -> None:
    wine = scene.add(Household("green", "wine_bottle"))
    blue = scene.add(Container("blue"), at=MIDDLE)
    scene.goal(f"put the {wine} into the {blue}", wine, inside=blue)


def post(scene: Scene) -> None:
    red = scene.add(Box("red", extents=(0.03, 0.03, 0.14)))
    blue = scene.add(Container("blue"), at=MIDDLE)
    scene.goal(f"put the {red} into the {blue}", red, inside=blue)


def board(scene: Scene) -> None:
    red = scene.add(Box("red", extents=(0.24, 0.05, 0.015)))
    blue = scene.add(Container("blue"), at=MIDDLE)
    scene.goal(f"put the {red} into the {blue}", red, inside=blue)


def mug(scene: Scene) -> None:
    red, zone = scene.add(Household("red", "coffee_mug")), scene.add(Zone("blue", 0.15), at=MIDDLE)
    scene.goal(f"put the {red} into the {zone}", red, inside=zone)


def sled(scene: Scene) -> None:
    red = scene.add(Box("red", extents=(0.10, 0.06, 0.02)))
    zone = scene.add(Zone("blue", width=0.15), at=MIDDLE)
    scene.goal(f"park the {red} in the {zone}", red, inside=zone)


def round_zone(scene: Scene) -> None:
    red, zone = scene.add(Block("red")), scene.add(Zone("blue", shape="round"), at=MIDDLE)
    scene.goal(f"put the {red} into the {zone}", red, inside=zone)


def narrow(scene: Scene) -> None:
    red, zone = scene.add(Block("red")), scene.add(Zone("blue", width=0.05), at=MIDDLE)
    scene.goal(f"put the {red} on the {zone}", red, inside=zone)


def pen(scene: Scene) -> None:
    ball, zone = scene.add(Ball("red")), scene.add(Zone("green"), at=MIDDLE)
    scene.goal(f"put the {ball} into the pen", ball, inside=zone)


def stacked(scene: Scene) -> None:
    red, green = scene.add(Block("red")), scene.add(Block("green"))
    zone = scene.add(Zone("blue"), at=MIDDLE)
    scene.goal(f"put the {red} and the {green} into the {zone}", [red, green], inside=zone)


def only(scene: Scene) -> None:
    red, green = scene.add(Block("red")), scene.add(Block("green"))
    blue, cyan = scene.add(Container("blue"), at=MIDDLE), scene.add(Zone("cyan"), at=pose(0, 20))
    scene.goal(f"put only the {red} into the {blue}", red, inside=blue, only=True)
    scene.goal(f"put the {green} into the {cyan}", green, inside=cyan)


def only_both(scene: Scene) -> None:
    red, green = scene.add(Block("red")), scene.add(Block("green"))
    blue = scene.add(Container("blue"), at=MIDDLE)
    scene.goal(f"put the {red} into the {blue}", red, inside=blue, only=True)
    scene.goal(f"put the {green} into the {blue} too", green, inside=blue, only=True)


def distracted(scene: Scene) -> None:
    red, zone = scene.add(Block("red")), scene.add(Zone("blue", width=0.15), at=MIDDLE)
    scene.distract(Block("green"))
    scene.goal(f"put the {red} into the {zone}", red, inside=zone)


def among_crumbs(scene: Scene) -> None:
    red, zone = scene.add(Block("red")), scene.add(Zone("blue", width=0.15), at=MIDDLE)
    scene.distract(Pile("green"))
    scene.goal(f"put the {red} into the {zone}", red, inside=zone)


CRUMBS = "green pile"
FLOOR = {
    "red box": Put(-4.2, -3.2, 0.5), "red box 2": Put(4.2, -3.2, 0.5),
    "red box 3": Put(-4.2, 3.2, 0.5), "red box 4": Put(4.2, 3.2, 0.5),
}  # fmt: skip
CASES = [
    done("in the bowl", bowl, {"red block": Put(1, 1, 0.5, 20)}),
    done("on its side in the bowl", bowl, {"red block": Put(0, 0, 0.5, 0, 90)}),
    not_done("beside the bowl", bowl, {"red block": Put(0, 9)}),
    not_done("under the bowl, which is upside down", loose_bowl,
             {"red block": Put(0, 0), "blue bowl": Put(0, 0, roll=180)}),
    not_done("on the bowl, which is upside down", loose_bowl,
             {"blue bowl": Put(0, 0, roll=180), "red block": Put(0, 0, 5)}),
    done("in a bowl in the crate", bowl_in_crate,
         {"green bowl": Put(0, 0, 0.5), "red block": Put(0, 0, 1.2)}),
    done("side by side in the bowl", bowl_of_blocks,
         {"red block": Put(0, -2.1, 0.5), "red block 2": Put(0, 2.1, 0.5)}),
    not_done("one stands on the other, above the rim", bowl_of_blocks,
             {"red block": Put(0, 0, 0.5), "red block 2": Put(0, 0, 4.5)}),
    not_done("across the rim of the bowl", bowl_and_plank, {"red box": Put(0, 0, 4)}),
    not_done("one end in the bowl, one on its rim", bowl_and_plank,
             {"red box": Put(1.5, 0, 1.2, pitch=17)}),
    done("one ball in each bowl", bowls,
         {"red ball": Put(0, 8, 0.5), "green ball": Put(0, -8, 0.5)}),
    not_done("both balls in one bowl", bowls,
             {"red ball": Put(0, -10.1, 0.5), "green ball": Put(0, -5.9, 0.5)}),
    not_done("four in, one at the far edge", crate, FLOOR),
    not_done("one heaped on four, its top 2.5 cm above the rim", crate,
             {**FLOOR, "red box 5": Put(0, 0, 4.5)}),
    not_done("heaped, and upside down", crate, {**FLOOR, "red box 5": Put(0, 0, 4.5, roll=180)}),
    done("a slab on a box, its middle below the rim", crate_and_slab,
         {"red box": Put(0, 0, 0.5), "green box": Put(0, 0, 4.5)}),
    done("one of them upside down", crate_and_slab,
         {"red box": Put(-4.2, 0, 0.5, roll=180), "green box": Put(4.2, 0, 0.5)}),
    done("the can stands, taller than the crate", can,
         {"red soup can": Put(5, 0, 0.5), "black camera": Put(-4, 0, 0.5)}),
    done("the can lies", can,
         {"red soup can": Put(5, 0, 0.5, 0, 90), "black camera": Put(-4, 0, 0.5)}),
    not_done("the can stands on the camera", can,
             {"red soup can": Put(-4, 0, 4.9), "black camera": Put(-4, 0, 0.5)}),
    not_done("the can leans on the camera and the rim", can,
             {"red soup can": Put(6, 0, 5, pitch=82), "black camera": Put(-0.5, 0, 0.5)}),
    done("the carton lies", carton, {"white milk carton": Put(0, 0, 0.5, pitch=90)}),
    done("the carton stands", carton, {"white milk carton": Put(0, 0, 0.5)}),
    done("the bottle lies", bottle, {"green wine bottle": Put(0, 0, 0.5, 30)}),
    done("the bottle lies on its other side", bottle,
         {"green wine bottle": Put(0, 0, 0.5, 30, 180)}),
    done("the post stands on the floor", post, {"red box": Put(3, 3, 0.5)}),
    done("the post stands against the wall", post, {"red box": Put(8, 0, 0.5)}),
    done("a slab on a box, against the wall", crate_and_slab,
         {"red box": Put(5.5, 0, 0.5), "green box": Put(5.5, 0, 4.5)}),
    done("the post lies", post, {"red box": Put(0, 0, 0.5, pitch=90)}),
    not_done("the post leans on the rim", post, {"red box": Put(5.2, 0, 0.5, pitch=42)}),
    not_done("the board lies across the rim", board, {"red box": Put(0, 0, 6)}),
    not_done("the board stands on the floor and the rim", board,
             {"red box": Put(4, 0, 0.6, pitch=-20)}),
    not_done("beside the crate", post, {"red box": Put(0, 12)}),
    done("the mug lies in the zone", mug, {"red coffee mug": Put(0, 0, roll=70)}),
    not_done("the mug lies on the border", mug, {"red coffee mug": Put(0, 6, roll=70)}),
    done("inside, at an angle", sled, {"red box": Put(0.5, 0.5, yaw=40)}),
    done("3 mm over the border", sled, {"red box": Put(0, 4.8)}),
    not_done("15 mm over the border", sled, {"red box": Put(0, 6)}),
    not_done("42 percent inside", sled, {"red box": Put(0, 8)}),
    done("inside the round zone", round_zone, {"red block": Put(2, 2)}),
    not_done("a corner reaches out of the round zone", round_zone, {"red block": Put(3.5, 3.5)}),
    done("its middle is on the narrow zone", narrow, {"red block": Put(1.5, 1.5, yaw=45)}),
    not_done("it only touches the narrow zone", narrow, {"red block": Put(0, 4)}),
    done("the ball is in a corner of the pen", pen, {"red ball": Put(3.7, 3.7)}),
    not_done("the ball is on the corner of the pen", pen, {"red ball": Put(5.5, 5.5)}),
    done("one stands on the other in the zone", stacked,
         {"red block": Put(0, 0), "green block": Put(0.5, 0, 4)}),
    not_done("a stack beside the zone that reaches over it", stacked,
             {"red block": Put(0, 8.5), "green block": Put(0, 7, 4)}),
    done("only the red one", only,
         {"red block": Put(0, 0, 0.5)}, {"green block": Put(0, 20)}),
    not_done("the other one is in it too", only,
             {"red block": Put(0, -4, 0.5), "green block": Put(0, 4, 0.5)}),
    done("what an earlier goal put there may stay", only_both,
         {"red block": Put(0, -4, 0.5)}, {"green block": Put(0, 4, 0.5)}),
    not_done("a distractor is in the zone", distracted,
             {"red block": Put(0, -4), "green block": Put(0, 4)}),
    not_done("a distractor stands on the block in the zone", distracted,
             {"red block": Put(0, 0), "green block": Put(0, 0, 4)}),
    done("the distractor is beside the zone", distracted,
         {"red block": Put(0, -4), "green block": Put(0, 12)}),
    not_done("the block stands on a distractor in the zone", distracted,
             {"green block": Put(0, 0), "red block": Put(0, 0, 4)}),
    done("two of fifty crumbs are in the zone", among_crumbs,
         {"red block": Put(0, -4), CRUMBS: heap(0, 18, (0, 5), (2, 4))}),
    not_done("five of fifty crumbs are in the zone", among_crumbs,
             {"red block": Put(0, -4), CRUMBS: heap(0, 18, *((k, 4) for k in (-4, -2, 0, 2, 4)))}),
]  # fmt: skip
