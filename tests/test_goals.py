"""What a goal means, judged on snapshots made by hand: no physics."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gensim_envs.task.assets import (
    Asset,
    Ball,
    Block,
    Bowl,
    Box,
    Container,
    Cylinder,
    Disk,
    Ell,
    PegStand,
    Pile,
    Rope,
    Stand,
    Zone,
)
from gensim_envs.task.drawing import draw
from gensim_envs.task.geometry import tilt_and_yaw
from gensim_envs.task.goals import Goal, Place, Snapshot
from gensim_envs.task.judge import Judge
from gensim_envs.task.pose import Pose, wrap
from gensim_envs.task.progress import GoalStatus, GoalTracker
from gensim_envs.task.relations import path_points
from gensim_envs.task.spec import ItemSpec, TaskSpec
from gensim_envs.tasks.towers_of_hanoi import TowersOfHanoi

RED, BLUE = Block("red"), Block("blue")
HERE, THERE = Pose(0.5, 0.0), Pose(0.4, 0.3)
AWAY = [Pose(0.3, -0.4 + 0.1 * k) for k in range(6)]


def at(items: Sequence[int], *poses: Pose, **how: Any) -> Goal:
    """Poses whose heading counts, as the picture of a mark shows it."""
    places = tuple(Place(pose, heading=True) for pose in poses)
    return Goal("do it", tuple(items), "at", places, **how)


def onto(items: Sequence[int], base: int, *offsets: Pose) -> Goal:
    places = tuple(Place(offset, (base,), exact=True) for offset in offsets)
    return Goal("do it", tuple(items), "on", places or (Place(bases=(base,)),))


def into(items: Sequence[int], *bases: int, **how: Any) -> Goal:
    places = tuple(Place(bases=(base,)) for base in bases)
    return Goal("do it", tuple(items), "inside", places, **how)


def task(assets: Sequence[Asset], *goals: Goal) -> TaskSpec:
    """Items in a row, away from all targets; ropes and piles with their bodies."""
    items = []
    for k, asset in enumerate(assets):
        start = AWAY[k]
        bodies = tuple((start.x, start.y, 0.0) for _ in range(asset.bodies))
        items.append(ItemSpec(asset, start, bodies=bodies if asset.bodies > 1 else ()))
    return TaskSpec("Made", "train", tuple(items), goals)


def seen(
    spec: TaskSpec,
    *poses: Pose | None,
    tilts: dict[int, float] | None = None,
    bodies: dict[int, np.ndarray] | None = None,
    contacts: Sequence[tuple[int, int]] = (),
) -> Snapshot:
    """The start, but for the poses given: of the first items, None for where it starts."""
    start = spec.start_snapshot
    moved = [pose or old for pose, old in itertools.zip_longest(poses, start.poses, fillvalue=None)]
    leaning = tuple((tilts or {}).get(k, 0.0) for k in range(len(moved)))
    return Snapshot(
        tuple(pose for pose in moved if pose is not None),
        leaning,
        {**start.bodies, **(bodies or {})},
        dict.fromkeys(contacts, 0.0),
    )


def met(spec: TaskSpec, now: Snapshot, goal: int = 0) -> float:
    return Judge(spec).fraction(goal, now)


# ------------------------------------------------------------------------------- at: full pose

TARGET = Pose(0.5, 0.1, 0.05, 0.3)
DEG = math.pi / 180


@pytest.mark.parametrize(
    ("offset", "expected"),
    [
        (Pose(0, 0), True),
        (Pose(0.0099, 0), True),
        (Pose(0.0101, 0), False),
        (Pose(-0.0099, 0), True),
        (Pose(-0.0101, 0), False),
        (Pose(0, 0.0099), True),
        (Pose(0, 0.0101), False),
        (Pose(0, -0.0101), False),
        (Pose(0.0069, 0.0069), True),
        (Pose(0.0072, 0.0072), False),  # 1 cm is a distance, not one for each axis
        (Pose(0, 0, 0.0099), True),
        (Pose(0, 0, 0.0101), False),
        (Pose(0, 0, -0.0099), True),
        (Pose(0, 0, -0.0101), False),
        (Pose(0, 0, 0, 14.9 * DEG), True),
        (Pose(0, 0, 0, 15.1 * DEG), False),
        (Pose(0, 0, 0, -14.9 * DEG), True),
        (Pose(0, 0, 0, -15.1 * DEG), False),
    ],
)
def test_every_coordinate_counts_within_its_tolerance(offset: Pose, expected: bool) -> None:
    spec = task([Box("red")], at([0], TARGET))
    assert met(spec, seen(spec, TARGET @ offset)) == expected


def test_a_goal_may_be_tighter() -> None:
    spec = task([Box("red")], at([0], TARGET, position_tolerance=0.004, yaw_tolerance=5 * DEG))
    assert met(spec, seen(spec, TARGET @ Pose(0.0039, 0, 0, 4.9 * DEG))) == 1
    assert met(spec, seen(spec, TARGET @ Pose(0.0041, 0))) == 0
    assert met(spec, seen(spec, TARGET.turned(5.1 * DEG))) == 0


@pytest.mark.parametrize(
    ("asset", "ways"),
    [
        (Block("red"), 4),
        (Box("red"), 2),
        (Box("red", extents=(0.05, 0.05, 0.03)), 4),
        (Ell("red"), 1),
        (Ball("red"), 0),
        (Cylinder("red"), 0),
        (Bowl("red"), 0),
        (Disk("red"), 0),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Asset) else str(value),
)
def test_yaw_counts_up_to_the_symmetry_of_the_asset(asset: Asset, ways: int) -> None:
    spec = task([asset], at([0], TARGET))
    for k in range(12):
        angle = k * math.tau / 12
        same = ways == 0 or abs(wrap(angle, math.tau / ways)) < 0.01
        assert met(spec, seen(spec, TARGET.turned(angle + 0.1))) == same
        assert met(spec, seen(spec, TARGET.turned(angle - math.tau))) == same


@pytest.mark.parametrize(("tilt", "expected"), [(0, 1), (14.9, 1), (15.1, 0), (90, 0), (180, 0)])
def test_leaning_things_are_not_in_place(tilt: float, expected: float) -> None:
    spec = task([RED], at([0], TARGET))
    assert met(spec, seen(spec, TARGET, tilts={0: tilt * DEG})) == expected


def turn(axis: int, angle: float) -> np.ndarray:
    c, s = math.cos(angle), math.sin(angle)
    matrix = np.eye(3)
    a, b = (axis + 1) % 3, (axis + 2) % 3
    matrix[a, a], matrix[a, b], matrix[b, a], matrix[b, b] = c, -s, s, c
    return matrix


QUARTERS = st.integers(0, 3)


@given(yaw=st.floats(-3, 3), x=QUARTERS, y=QUARTERS, z=QUARTERS, lean=st.floats(0, 0.6))
def test_a_cube_may_stand_on_any_face(yaw: float, x: int, y: int, z: int, lean: float) -> None:
    faces = turn(0, x * math.pi / 2) @ turn(1, y * math.pi / 2) @ turn(2, z * math.pi / 2)
    tilt, heading = tilt_and_yaw("cube", turn(2, yaw) @ faces)
    assert tilt == pytest.approx(0, abs=1e-6)
    assert wrap(heading - yaw, math.pi / 2) == pytest.approx(0, abs=1e-6)
    leaning, _ = tilt_and_yaw("cube", turn(2, yaw) @ turn(0, lean) @ faces)
    assert leaning == pytest.approx(lean, abs=1e-6)


@given(yaw=st.floats(-3, 3), lean=st.floats(0, 3.1))
def test_anything_else_must_stand_on_its_underside(yaw: float, lean: float) -> None:
    tilt, _ = tilt_and_yaw("no", turn(2, yaw) @ turn(1, lean))
    assert tilt == pytest.approx(lean, abs=1e-6)
    assert tilt_and_yaw("no", turn(2, yaw))[1] == pytest.approx(yaw)
    assert tilt_and_yaw("ball", turn(2, yaw) @ turn(1, lean)) == (0, 0)


# ------------------------------------------------------------------------------------------ on


def stacked() -> TaskSpec:
    return task([BLUE, RED], onto([1], 0))


def test_on_needs_height_and_contact() -> None:
    spec = stacked()
    above = HERE.up(0.04)
    touching = [(0, 1)]
    assert met(spec, seen(spec, HERE, above, contacts=touching)) == 1
    assert met(spec, seen(spec, HERE, above)) == 0
    assert met(spec, seen(spec, HERE, HERE @ Pose(0.04, 0), contacts=touching)) == 0
    assert met(spec, seen(spec, HERE, above.up(0.011), contacts=touching)) == 0
    # Anywhere where its middle is over the top, whatever its heading.
    assert met(spec, seen(spec, HERE, above @ Pose(0.019, 0, 0, 0.7), contacts=touching)) == 1
    assert met(spec, seen(spec, HERE, above @ Pose(0.021, 0), contacts=touching)) == 0


@given(x=st.floats(0.3, 0.7), y=st.floats(-0.4, 0.4), z=st.floats(0, 0.1), yaw=st.floats(-3, 3))
def test_on_follows_the_base_in_its_own_frame(x: float, y: float, z: float, yaw: float) -> None:
    spec = task([Box("blue", extents=(0.2, 0.1, 0.03)), Box("red")], onto([1], 0, Pose(0.05, 0.01)))
    base = Pose(x, y, z, yaw)
    on = base @ Pose(0.05, 0.01, 0.03)
    assert met(spec, seen(spec, base, on, contacts=[(0, 1)])) == 1
    assert met(spec, seen(spec, base, on.turned(0.3), contacts=[(0, 1)])) == 1
    elsewhere = base @ Pose(0.03, 0.01, 0.03)
    assert met(spec, seen(spec, base, elsewhere, contacts=[(0, 1)])) == 0


def test_on_one_of_several_bases() -> None:
    places = (Place(bases=(0,)), Place(bases=(1,)))
    spec = task([BLUE, BLUE, RED], Goal("do it", (2,), "on", places))
    assert met(spec, seen(spec, HERE, THERE, THERE.up(0.04), contacts=[(1, 2)])) == 1
    assert met(spec, seen(spec, HERE, THERE, THERE.up(0.04), contacts=[(0, 2)])) == 0


def test_one_of_equal_bases_is_as_good_as_another() -> None:
    spec = task([BLUE, BLUE, RED], onto([2], 0))
    assert met(spec, seen(spec, HERE, THERE, THERE.up(0.04), contacts=[(1, 2)])) == 1


def test_on_two_things_rests_on_both() -> None:
    beam = Box("red", extents=(0.16, 0.04, 0.02))
    on_both = Goal("do it", (2,), "on", (Place(bases=(0, 1)),))
    spec = task([Block("blue"), Block("green"), beam], on_both)
    other, middle = HERE @ Pose(0.1, 0), HERE @ Pose(0.05, 0, 0.04)
    touching = [(0, 2), (1, 2)]
    assert met(spec, seen(spec, HERE, other, middle, contacts=touching)) == 1
    assert met(spec, seen(spec, HERE, other, HERE.up(0.04), contacts=[(0, 2)])) == 1
    across = middle.turned(math.pi / 2)
    assert met(spec, seen(spec, HERE, other, across, contacts=touching)) == 0
    assert met(spec, seen(spec, HERE, other @ Pose(0.2, 0), middle, contacts=[(0, 2)])) == 0


# -------------------------------------------------------------------------------------- inside


@pytest.mark.parametrize(
    ("offset", "expected"),
    [
        (Pose(0, 0, 0.005), 1),
        (Pose(0.02, 0, 0.005), 1),
        (Pose(0.055, 0, 0.005), 1),
        (Pose(0.057, 0, 0.005), 0),  # its middle is beyond the rim
        (Pose(0, 0, 0.019), 1),
        (Pose(0, 0, 0.021), 0),  # more than half of it is above the rim
        (Pose(0, 0, -0.02), 0),  # under it
        (Pose(0.2, 0, 0.0), 0),
    ],
)
def test_inside_a_bowl_wherever_it_is_now(offset: Pose, expected: float) -> None:
    spec = task([Bowl("blue"), RED], into([1], 0))
    for bowl in (HERE, THERE.turned(1.0), HERE.up(0.1)):
        assert met(spec, seen(spec, bowl, bowl @ offset, tilts={1: 1.0})) == expected


def test_inside_a_container_is_below_its_rim() -> None:
    spec = task([Container("blue"), Box("red", extents=(0.1, 0.04, 0.03))], into([1], 0))
    tray = THERE.turned(0.5)
    assert met(spec, seen(spec, tray, tray @ Pose(0.04, 0.05, 0.005))) == 1
    assert met(spec, seen(spec, tray, tray @ Pose(0.04, 0.076, 0.005))) == 0
    assert met(spec, seen(spec, tray, tray @ Pose(0, 0, 0.044))) == 1
    assert met(spec, seen(spec, tray, tray @ Pose(0, 0, 0.046))) == 0
    # What leans on the rim is not inside, other than what touches the whole wall with its side.
    rim = {(0, 1): tray.z + Container("blue").height}
    low = tray @ Pose(0.04, 0.05, 0.005)
    assert met(spec, replace(seen(spec, tray, low, tilts={1: 0.4}), contacts=rim)) == 0
    assert met(spec, replace(seen(spec, tray, low), contacts=rim)) == 1
    # What stands on the floor may be taller than the container.
    tall = task([Container("blue"), Box("red", extents=(0.04, 0.04, 0.15))], into([1], 0))
    assert met(tall, seen(tall, tray, tray @ Pose(0, 0, 0.005))) == 1
    assert met(tall, seen(tall, tray, tray @ Pose(0, 0, 0.02))) == 0


@pytest.mark.parametrize("shape", ["square", "round"])
def test_a_zone_with_room_to_spare_takes_whole_footprints(shape: Any) -> None:
    spec = task([Zone("blue", width=0.12, shape=shape), RED], into([1], 0))
    centre = HERE.turned(0.4)
    for away, expected in ((0.035, 1), (0.044, shape == "square"), (0.046, 0), (0.061, 0)):
        assert met(spec, seen(spec, centre, centre @ Pose(away, 0))) == expected, away
    aloft = centre.up(0.04)
    assert met(spec, seen(spec, centre, aloft)) == 0  # on top of something else


def test_a_narrow_zone_takes_middles() -> None:
    spec = task([Zone("blue", width=0.05), RED], into([1], 0))
    assert met(spec, seen(spec, HERE, HERE @ Pose(0.024, 0))) == 1
    assert met(spec, seen(spec, HERE, HERE @ Pose(0.026, 0))) == 0


def test_what_stands_on_something_in_a_zone_is_in_it() -> None:
    spec = task([Zone("blue"), RED, BLUE], into([1, 2], 0))
    stacked_in = seen(spec, HERE, HERE, HERE.up(0.04), contacts=[(1, 2)])
    assert met(spec, stacked_in) == 1
    outside = HERE @ Pose(0.2, 0)
    assert met(spec, seen(spec, HERE, outside, outside.up(0.04), contacts=[(1, 2)])) == 0


def test_many_share_one_container_and_each_takes_one_of_many() -> None:
    blocks = [RED, RED]
    shared = task([Container("blue"), *blocks], into([1, 2], 0))
    both = seen(shared, HERE, HERE @ Pose(0.05, 0, 0.005), HERE @ Pose(-0.05, 0, 0.005))
    assert met(shared, both) == 1
    assert met(shared, seen(shared, HERE, None, HERE.up(0.005))) == 0.5

    one_each = task([Bowl("blue"), Bowl("blue"), *blocks], into([2, 3], 0, 1))
    inside = [bowl.up(0.005) for bowl in (HERE, THERE)]
    assert met(one_each, seen(one_each, HERE, THERE, *inside)) == 1
    assert met(one_each, seen(one_each, HERE, THERE, *reversed(inside))) == 1
    crowded = [inside[0] @ Pose(0, 0.001), inside[0]]
    assert met(one_each, seen(one_each, HERE, THERE, *crowded)) == 0.5


def test_different_things_may_go_into_any_of_as_many_bowls() -> None:
    spec = task([Bowl("blue"), Bowl("blue"), RED, Ball("green")], into([2, 3], 0, 1))
    inside = [bowl.up(0.005) for bowl in (HERE, THERE)]
    assert met(spec, seen(spec, HERE, THERE, *inside)) == 1
    assert met(spec, seen(spec, HERE, THERE, *reversed(inside))) == 1


# ----------------------------------------------------------------------------- ropes and piles

BENT = (Pose(0.5, -0.1), Pose(0.5, 0.0), Pose(0.6, 0.0), Pose(0.6, 0.028))


def rope_task() -> TaskSpec:
    return task([Rope("red")], Goal("do it", (0,), "along", tuple(map(Place, BENT))))


CORNERS = np.array([(pose.x, pose.y) for pose in BENT])


def beads_on(height: float = 0.006) -> np.ndarray:
    return np.c_[path_points(CORNERS, 20), np.full(20, height)]


def test_path_points_are_even_along_every_corner() -> None:
    points = path_points(CORNERS, 20)
    np.testing.assert_allclose(points[[0, -1]], [(0.5, -0.1), (0.6, 0.028)])
    lengths = np.abs(np.diff(points, axis=0)).sum(axis=1)  # every leg is along an axis
    np.testing.assert_allclose(lengths, 0.228 / 19)


def test_a_rope_may_lie_either_way_and_scores_its_share() -> None:
    spec = rope_task()
    beads = beads_on()
    assert met(spec, seen(spec, bodies={0: beads})) == 1
    assert met(spec, seen(spec, bodies={0: beads[::-1]})) == 1
    far, lifted, partly = beads.copy(), beads.copy(), beads.copy()
    far[:8, 0] += 0.0101
    lifted[:, 2] = 0.031
    partly[:5, 0] -= 0.05
    assert met(spec, seen(spec, bodies={0: far})) == 0.6
    assert met(spec, seen(spec, bodies={0: lifted})) == 0
    assert met(spec, seen(spec, bodies={0: partly})) == 0.75


def test_a_rope_may_be_shifted_along_its_path_by_two_centimetres() -> None:
    straight = (Pose(0.5, -0.114), Pose(0.5, 0.114))
    spec = task([Rope("red")], Goal("do it", (0,), "along", tuple(map(Place, straight))))
    beads = np.c_[np.full(20, 0.5), np.linspace(-0.114, 0.114, 20), np.full(20, 0.006)]
    for shift, expected in ((0.012, 1), (0.019, 1), (0.021, 0.9)):
        moved = beads + (0, shift, 0)
        assert met(spec, seen(spec, bodies={0: moved})) == expected


def test_a_rope_that_folds_back_is_not_along_its_path() -> None:
    spec = rope_task()
    folded = beads_on()
    folded[8:14] = folded[14:8:-1]
    assert met(spec, seen(spec, bodies={0: folded})) < 1


def crumbs(inside: int, height: float = 0.005) -> np.ndarray:
    points = np.tile([0.3, -0.4, 0.005], (50, 1))
    points[:inside] = (HERE.x + 0.05, HERE.y - 0.05, height)
    return points


@pytest.mark.parametrize(("inside", "expected"), [(0, 0), (25, 0.5), (48, 0.96), (50, 1)])
def test_a_pile_is_solved_when_every_crumb_is_inside(inside: int, expected: float) -> None:
    spec = task([Pile("red"), Zone("blue")], into([0], 1))
    now = seen(spec, None, HERE, bodies={0: crumbs(inside)})
    assert met(spec, now) == pytest.approx(expected)
    turned = seen(spec, None, HERE.turned(math.pi / 4), bodies={0: crumbs(inside)})
    assert met(spec, turned) == pytest.approx(expected if inside == 0 else 0)
    aloft = seen(spec, None, HERE, bodies={0: crumbs(inside, height=0.05)})
    assert met(spec, aloft) == 0
    over = crumbs(50)
    over[:, 0] = HERE.x + 0.0649
    assert met(spec, seen(spec, None, HERE, bodies={0: over})) == 1
    over[:, 0] = HERE.x + 0.0651
    assert met(spec, seen(spec, None, HERE, bodies={0: over})) == 0


# ------------------------------------------------------------------------------------ matching

SPOTS = st.tuples(st.floats(0.3, 0.7), st.floats(-0.4, 0.4))


def left(spec: TaskSpec, now: Snapshot) -> list[tuple[int, Pose]]:
    return [(item, place.pose) for item, place in Judge(spec).assign(0, now).todo]


@given(spots=st.lists(SPOTS, min_size=6, max_size=6))
def test_equals_are_assigned_at_the_least_total_distance(spots: list[tuple[float, float]]) -> None:
    places = [Pose(*spot) for spot in spots[:3]]
    spec = task([RED] * 3, at([0, 1, 2], *places))
    now = seen(spec, *(Pose(*spot) for spot in spots[3:]))
    chosen = left(spec, now)
    if len(chosen) == 3:  # what is in place stays, whatever the others have to walk
        total = sum(now.poses[item].distance(place) for item, place in chosen)
        best = min(
            sum(now.poses[k].distance(place) for k, place in enumerate(order))
            for order in itertools.permutations(places)
        )
        assert total == pytest.approx(best)


def test_what_is_in_place_stays_there() -> None:
    """Shifting everything by one would be less far in sum of squares, but moves more."""
    places = [Pose(0.5, 0.1 * k) for k in range(3)]
    spec = task([RED] * 3, at([0, 1, 2], *places))
    now = seen(spec, places[0], places[1], Pose(0.5, -0.1))
    assert left(spec, now) == [(2, places[2])]


def test_what_is_in_a_high_place_need_not_come_down() -> None:
    spec = task([RED], at([0], HERE, THERE.up(0.04)))
    assert met(spec, seen(spec, THERE.up(0.04))) == 1
    assert met(spec, seen(spec, HERE)) == 1


def test_lower_places_are_filled_first() -> None:
    places = [HERE.up(0.08), HERE, HERE.up(0.04)]
    spec = task([RED] * 3, at([0, 1, 2], *places))
    assert [pose.z for _, pose in left(spec, seen(spec))] == [0, 0.04, 0.08]
    two = task([RED] * 2, at([0, 1], *places))
    assert [pose.z for _, pose in left(two, seen(two))] == [0, 0.04]


def test_what_waits_for_its_turn_takes_no_place() -> None:
    places = [HERE, HERE.up(0.08), HERE.up(0.04)]
    spec = task([RED] * 3, at([0, 1, 2], *places))
    waiting = Pose(AWAY[0].x, AWAY[0].y, -1.0)
    now = seen(spec, None, None, waiting)
    assert not now.has(2)
    assert [(item < 2, pose.z) for item, pose in left(spec, now)] == [(True, 0), (True, 0.04)]
    assert met(spec, seen(spec, HERE, HERE.up(0.04), waiting)) == pytest.approx(2 / 3)


def test_unequal_items_belong_to_the_place_of_their_own_number() -> None:
    for other in (BLUE, Ball("red"), Box("red")):
        spec = task([RED, other], at([0, 1], HERE, THERE))
        assert met(spec, seen(spec, HERE, THERE)) == 1
        assert met(spec, seen(spec, THERE, HERE)) == 0


def test_unequal_items_may_choose_among_more_places() -> None:
    spec = task([RED, BLUE], at([0, 1], HERE, THERE, AWAY[5]))
    assert met(spec, seen(spec, THERE, AWAY[5])) == 1


def test_equals_among_unequal_items_swap_only_with_one_another() -> None:
    places = [HERE, THERE, Pose(0.6, -0.3)]
    spec = task([RED, BLUE, RED], at([0, 1, 2], *places))
    assert met(spec, seen(spec, places[2], places[1], places[0])) == 1
    assert met(spec, seen(spec, places[1], places[0], places[2])) == pytest.approx(1 / 3)


def test_equals_of_different_goals_are_exchangeable() -> None:
    spec = task([RED, RED], at([0], HERE), at([1], THERE))
    tracker = GoalTracker(spec, seen(spec))
    assert tracker.update(seen(spec, THERE)).progress == 0
    assert tracker.update(seen(spec, None, HERE)).progress == 0.5
    assert tracker.update(seen(spec, THERE, HERE)).success


def test_a_later_goal_frees_as_many_places_as_it_takes_items() -> None:
    spec = task([RED] * 2, at([0, 1], HERE, THERE), at([0], AWAY[5]))
    tracker = GoalTracker(spec, seen(spec))
    assert tracker.update(seen(spec, HERE, THERE)).current == 1
    # Either of the equals may go on; the other one must stay.
    assert tracker.update(seen(spec, HERE, AWAY[5])).success
    assert tracker.update(seen(spec, AWAY[5], AWAY[4])).current == 0


# ------------------------------------------------------------------- order, latching, progress


def statuses(spec: TaskSpec, *states: Snapshot) -> list[GoalStatus]:
    tracker = GoalTracker(spec, seen(spec))
    return [tracker.update(state) for state in states]


def test_only_the_current_goal_is_credited() -> None:
    spec = task([RED, BLUE], at([0], HERE), at([1], THERE))
    early, both = statuses(spec, seen(spec, None, THERE), seen(spec, HERE, THERE))
    assert (early.progress, early.current, early.goals_left) == (0, 0, 2)
    assert (both.progress, both.current, both.goals_left) == (1, None, 0)
    assert both.success
    assert not early.success


def test_last_goals_must_hold_and_may_be_mended() -> None:
    spec = task([RED, BLUE], at([0], HERE), at([1], THERE))
    steps = statuses(
        spec,
        seen(spec, HERE),
        seen(spec, THERE @ Pose(0.02, 0), THERE),
        seen(spec, HERE),
        seen(spec, HERE, THERE),
    )
    assert [step.progress for step in steps] == [0.5, 0, 0.5, 1]
    assert [step.current for step in steps] == [1, 0, 1, None]
    assert [step.goals_left for step in steps] == [1, 2, 1, 0]


def test_an_earlier_goal_of_an_item_latches() -> None:
    spec = task([RED], at([0], HERE), at([0], THERE))
    too_soon, first, between, second, lost = statuses(
        spec, seen(spec, THERE), seen(spec, HERE), seen(spec), seen(spec, THERE), seen(spec, HERE)
    )
    assert (too_soon.progress, too_soon.current) == (0, 0)
    assert (first.progress, first.current) == (0.5, 1)
    assert (between.progress, between.current) == (0.5, 1)
    assert second.success
    assert (lost.progress, lost.current) == (0.5, 1)


def test_of_a_latched_goal_only_items_without_a_later_one_must_hold() -> None:
    spec = task([RED, BLUE], at([0, 1], HERE, THERE), at([0], AWAY[5]))
    steps = statuses(
        spec,
        seen(spec, HERE, THERE),
        seen(spec, AWAY[5], THERE),
        seen(spec, AWAY[5], AWAY[4]),
    )
    assert steps[0].progress == pytest.approx(2 / 3)
    assert steps[1].success
    assert steps[2].current == 0
    assert steps[2].progress == pytest.approx(1 / 3)


def test_towers_of_hanoi_by_any_legal_route() -> None:
    spec = draw(TowersOfHanoi, "train", 0).spec
    start = spec.start_snapshot
    stand, *disks = range(4)
    pegs = [spec.items[stand].start @ PegStand("red").peg(k) for k in range(3)]

    def play(*moves: tuple[int, int], together: int = 1) -> GoalStatus:
        tracker = GoalTracker(spec, start)
        towers: list[list[int]] = [list(disks), [], []]
        for origin, target in moves:
            towers[origin], carried = towers[origin][:-together], towers[origin][-together:]
            towers[target] += carried
            poses, contacts = list(start.poses), {}
            for peg, tower in zip(pegs, towers, strict=True):
                for level, disk in enumerate(tower):
                    poses[disk] = peg.up(level * Disk.THICKNESS)
                    below = tower[level - 1] if level else stand
                    contacts[min(disk, below), max(disk, below)] = poses[disk].z
            status = tracker.update(Snapshot(tuple(poses), start.tilts, {}, contacts))
        return status

    shortest = [(0, 2), (0, 1), (2, 1), (0, 2), (1, 0), (1, 2), (0, 2)]
    assert play(*shortest).success
    assert play((0, 1), (1, 2), *shortest[1:]).success
    assert "stands on" in play((0, 1), (0, 1)).violation
    assert play((0, 1), (0, 1)).progress == 0
    assert "was placed before its turn" in play((0, 2), together=3).violation


def test_weights_are_items_and_one_for_a_rope_or_pile() -> None:
    path = Goal("do it", (3,), "along", tuple(map(Place, BENT)))
    assets = [RED, RED, RED, Rope("red"), Zone("blue"), Pile("red")]
    spec = task(assets, at([0, 1, 2], *AWAY[3:]), path, into([5], 4))
    start = seen(spec, *AWAY[:3])
    tracker = GoalTracker(spec, start)
    beads = beads_on()
    half = beads.copy()
    half[:10, 0] -= 0.1
    blocks = [*AWAY[3:5], AWAY[0]]
    done = [AWAY[3], AWAY[4], AWAY[5]]
    zone = [None, HERE]

    def progress(poses: Sequence[Pose], **bodies: Any) -> float:
        return tracker.update(seen(spec, *poses, *zone, **bodies)).progress

    assert progress(blocks) == pytest.approx(2 / 5)
    assert progress(done) == pytest.approx(3 / 5)
    assert progress(done, bodies={3: half}) == pytest.approx(3.5 / 5)
    assert progress(done, bodies={3: beads}) == pytest.approx(4 / 5)
    assert progress(done, bodies={3: beads, 5: crumbs(20)}) == pytest.approx(4.4 / 5)
    assert progress(done, bodies={3: beads, 5: crumbs(50)}) == 1


def test_progress_is_measured_from_the_start() -> None:
    spec = task([RED, RED, BLUE], at([0, 1], HERE, THERE), at([2], AWAY[5]))
    start = seen(spec, HERE)
    tracker = GoalTracker(spec, start)
    assert tracker.update(start).progress == 0
    assert tracker.update(seen(spec)).progress == 0  # never below
    assert tracker.update(seen(spec, HERE, THERE)).progress == pytest.approx(2 / 3)
    assert tracker.update(seen(spec, HERE, THERE, AWAY[5])).progress == 1


SPOT_OF = st.sampled_from([None, HERE, THERE, AWAY[5], HERE.up(0.04), THERE.up(0.04)])
STATES = st.lists(st.tuples(SPOT_OF, SPOT_OF, SPOT_OF, st.booleans()), max_size=12)
RULES: dict[str, TaskSpec] = {
    "one goal": task([RED, RED, BLUE], at([0, 1, 2], HERE, THERE, AWAY[5])),
    "in turn": task([RED, RED, BLUE], at([0, 1], HERE, THERE), at([2], AWAY[5])),
    "there and on": task([RED, RED, BLUE], at([0], HERE), at([1, 2], THERE, AWAY[5]),
                         at([0], THERE.up(0.04))),
    "stacked": task([RED, BLUE, Stand("red")], at([0], HERE), onto([1], 0)),
}  # fmt: skip
SOLVED = {
    "one goal": [(HERE, THERE, AWAY[5], True)],
    "in turn": [(THERE, HERE, AWAY[5], True)],
    "there and on": [
        (HERE, None, None, False),
        (HERE, THERE, AWAY[5], False),
        (THERE.up(0.04), THERE, AWAY[5], True),
    ],
    "stacked": [(HERE, HERE.up(0.04), None, True)],
}


@pytest.mark.parametrize("name", RULES)
@settings(max_examples=50)
@given(states=STATES)
def test_rewards_sum_to_the_final_progress_and_to_one_when_solved(
    name: str, states: list[tuple[Any, ...]]
) -> None:
    spec = RULES[name]
    tracker = GoalTracker(spec, seen(spec))
    progress = tracker.update(seen(spec)).progress
    assert progress == 0
    total = 0.0
    for *poses, touching in [*states, *SOLVED[name]]:
        status = tracker.update(seen(spec, *poses, contacts=[(0, 1)] if touching else []))
        assert 0 <= status.progress <= 1
        assert status.success == (status.progress == 1) == (status.goals_left == 0)
        total += status.progress - progress
        progress = status.progress
        assert total == pytest.approx(progress, abs=1e-9)
    assert status.success
    assert abs(total - 1) <= 1e-9


def test_the_state_layout_is_read_without_the_simulator() -> None:
    code = (
        "import sys, gensim_envs.envs.state_layout\n"
        "print({'pybullet', 'scipy', 'shapely'} & set(sys.modules))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert loaded.stdout.strip() == "set()"
