"""What holds for the judge of any task in any state: no physics, states drawn at random."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from conftest import Program
from end_states import Build, Put, in_metres, inside, names, on, patterns, places, regions, rules
from end_states.table import TABLE
from hypothesis import given, settings
from hypothesis import strategies as st

from gensim_envs.task.assets import Block
from gensim_envs.task.geometry import footprint
from gensim_envs.task.goals import Snapshot
from gensim_envs.task.judge import Judge
from gensim_envs.task.pose import Pose
from gensim_envs.task.progress import GoalStatus, GoalTracker
from gensim_envs.task.spec import ItemSpec, TaskSpec

FREE: list[Build] = [
    patterns.square, patterns.ell, patterns.right_ell, patterns.tower, patterns.rails, regions.row
]  # fmt: skip
"""Goals that may be fulfilled anywhere."""
BUILDS: list[Build] = [
    *FREE, patterns.wheel, patterns.storeys, patterns.twins, patterns.moved_twins, patterns.layers,
    regions.around, regions.anchored, regions.two_left, inside.crate, inside.bowls, inside.only,
    inside.stacked, on.ends, on.each, places.marks, rules.in_order, rules.there_and_on,
]  # fmt: skip
SPECS = {build: Program(build).draw("train", 0).spec for build in BUILDS}
SEEDS = st.integers(0, 2**32 - 1)
MANY = settings(max_examples=30)
anything = pytest.mark.parametrize("build", BUILDS, ids=lambda build: build.__name__)
anywhere = pytest.mark.parametrize("build", FREE, ids=lambda build: build.__name__)


def states(build: Build, seed: int, count: int = 1) -> list[Snapshot]:
    """States near those of the table: some things are a little off, some elsewhere."""
    rng, spec = np.random.default_rng(seed), SPECS[build]
    cases = [case for group in TABLE.values() for case in group if case.build is build]
    known = names(spec)
    found = []
    for _ in range(count):
        case = cases[rng.integers(len(cases))]
        poses = list(spec.start_snapshot.poses)
        for k, (name, item) in enumerate(zip(known, spec.items, strict=True)):
            if not item.fixed:
                x, y = rng.uniform((0.3, -0.4), (0.7, 0.4))
                poses[k] = Pose(float(x), float(y), 0.0, float(rng.uniform(-3, 3)))
            put = next((state[name] for state in reversed(case.states) if name in state), None)
            if isinstance(put, Put) and rng.random() < 0.9:
                x, y = in_metres(put.x, put.y)
                dx, dy = rng.normal(0, 0.003, 2)
                poses[k] = Pose(x + dx, y + dy, put.z / 100, math.radians(put.yaw))
        found.append(snapshot(spec, poses))
    return found


def snapshot(spec: TaskSpec, poses: list[Pose]) -> Snapshot:
    """Upright things, in contact where one is right above another."""
    shapes = [footprint(spec.geometry(k).outline, pose) for k, pose in enumerate(poses)]
    contacts = {}
    for a, b in itertools.combinations(range(len(poses)), 2):
        for low, high in ((a, b), (b, a)):
            top = poses[low].z + spec.items[low].asset.height
            if abs(poses[high].z - top) < 0.002 and shapes[low].intersects(shapes[high]):
                contacts[a, b] = top
    return Snapshot(tuple(poses), (0.0,) * len(poses), {}, contacts)


def fractions(spec: TaskSpec, now: Snapshot) -> list[float]:
    judge = Judge(spec)
    return [judge.fraction(number, now) for number in range(len(spec.goals))]


def follow(spec: TaskSpec, visited: list[Snapshot]) -> list[GoalStatus]:
    tracker = GoalTracker(spec, spec.start_snapshot)
    return [tracker.update(now) for now in visited]


def relabelled(now: Snapshot, order: list[int]) -> Snapshot:
    """The state in which item k is where item order[k] was."""
    back = {old: new for new, old in enumerate(order)}
    contacts = {
        (min(back[a], back[b]), max(back[a], back[b])): z for (a, b), z in now.contacts.items()
    }
    poses = tuple(now.poses[old] for old in order)
    return replace(now, poses=poses, contacts=contacts)


@anything
@MANY
@given(seed=SEEDS)
def test_equal_things_are_exchangeable(build: Build, seed: int) -> None:
    spec, rng = SPECS[build], np.random.default_rng(seed)
    order = list(range(len(spec.items)))
    for asset in {item.asset for item in spec.items if not item.fixed}:
        alike = [k for k, item in enumerate(spec.items) if item.asset == asset and not item.fixed]
        for k, other in zip(alike, rng.permutation(alike).tolist(), strict=True):
            order[k] = other
    visited = states(build, seed, 3)
    exchanged = [relabelled(now, order) for now in visited]
    for now, other in zip(visited, exchanged, strict=True):
        assert fractions(spec, other) == pytest.approx(fractions(spec, now))
    for ours, theirs in zip(follow(spec, visited), follow(spec, exchanged), strict=True):
        assert theirs.progress == pytest.approx(ours.progress)
        assert (theirs.current, theirs.violation) == (ours.current, ours.violation)


@anywhere
@MANY
@given(seed=SEEDS, x=st.floats(-0.2, 0.2), y=st.floats(-0.4, 0.4), yaw=st.floats(-3.1, 3.1))
def test_what_may_be_anywhere_may_be_shifted_and_rotated(
    build: Build, seed: int, x: float, y: float, yaw: float
) -> None:
    spec, (now,) = SPECS[build], states(build, seed)
    middle, to = Pose(0.5, 0.0).inverse(), Pose(0.5 + x, y, 0.0, yaw)
    moved = snapshot(spec, [to @ middle @ pose for pose in now.poses])
    assert fractions(spec, moved) == pytest.approx(fractions(spec, now))


@anything
@MANY
@given(seed=SEEDS)
def test_progress_is_one_exactly_when_solved(build: Build, seed: int) -> None:
    for status in follow(SPECS[build], states(build, seed, 4)):
        assert 0 <= status.progress <= 1
        assert status.success == (status.progress == 1) == (status.goals_left == 0)
        assert not (status.success and status.violation)


@anything
@MANY
@given(seed=SEEDS)
def test_a_distractor_far_away_changes_nothing(build: Build, seed: int) -> None:
    spec, visited = SPECS[build], states(build, seed, 2)
    far = Pose(0.72, 0.47)
    wider = replace(spec, items=(*spec.items, ItemSpec(Block("black"), far, distractor=True)))
    there = [replace(now, poses=(*now.poses, far), tilts=(*now.tilts, 0.0)) for now in visited]
    assert follow(wider, there) == follow(spec, visited)


@anything
@MANY
@given(seed=SEEDS)
def test_a_task_is_judged_alike_after_a_round_trip_through_json(build: Build, seed: int) -> None:
    spec, visited = SPECS[build], states(build, seed, 2)
    again = TaskSpec.from_json(json.loads(json.dumps(spec.to_json())))
    assert again == spec
    assert follow(again, visited) == follow(spec, visited)


@pytest.mark.parametrize("build", [patterns.square, patterns.wheel], ids=lambda b: b.__name__)
@MANY
@given(seed=SEEDS)
def test_a_pattern_fits_if_some_motion_brings_all_within_tolerance(build: Build, seed: int) -> None:
    """Places are shifted by up to 9.5 mm from where a motion that is not told puts them."""
    spec, rng = SPECS[build], np.random.default_rng(seed)
    goal, poses = spec.goals[0], list(spec.start_snapshot.poses)
    origin = Pose(0.5, 0.0, 0.0, float(rng.uniform(-3, 3)))
    for item, place in zip(goal.items, goal.places, strict=True):
        angle, away = rng.uniform(0, math.tau), 0.0095 * math.sqrt(rng.random())
        off = Pose(away * math.cos(angle), away * math.sin(angle))
        poses[item] = (origin @ place.pose) @ off
    assert fractions(spec, snapshot(spec, poses)) == [1.0]
