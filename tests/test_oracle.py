"""The oracle, from states that no demonstration would lead to."""

import math

import gymnasium as gym
import numpy as np
import pytest
from conftest import BOUNDS, Program
from gymnasium.wrappers import RescaleAction

import gensim_envs
from gensim_envs import Oracle, OracleError
from gensim_envs.api import (
    Block,
    Bowl,
    Box,
    Container,
    Cylinder,
    Pile,
    Pose,
    Rope,
    Scene,
    Stand,
    Zone,
    stack,
)
from gensim_envs.envs.tabletop import TabletopEnv
from gensim_envs.oracle.foresight import foresight
from gensim_envs.seeds import TUNING

LIMITS = np.float32(-1), np.float32(1)
HERE, THERE = Pose(0.40, -0.20), Pose(0.60, 0.25)


def covered(scene: Scene) -> None:
    """The block to move carries another one."""
    low = scene.add(Block("red"), at=HERE)
    scene.distract(Bowl("green"))
    top = scene.add(Block("blue"), at=HERE.up(0.04))
    scene.goal("move the red block", low, at=scene.mark(low, THERE))
    scene.goal("put the blue block on the red block", top, on=low)


def occupied(scene: Scene) -> None:
    """Something stands where the block is to go."""
    rival = scene.add(Block("blue"), at=THERE)
    block = scene.add(Block("red"))
    zone = scene.add(Zone("green", width=0.1), at=Pose(0.35, 0.0))
    scene.goal("move the red block", block, at=scene.mark(block, THERE))
    scene.goal("put the blue block into the green zone", rival, inside=zone)


def tower(scene: Scene) -> None:
    """Four equal blocks, one above the other."""
    blocks = scene.add(Block("red"), count=4)
    foot = scene.mark(blocks[0], THERE).pose
    scene.goal("stack the red blocks", blocks, at=stack(foot, 4, 0.04))


def stretch(scene: Scene) -> None:
    """A rope along a straight way."""
    rope = scene.add(Rope("red"))
    scene.goal("stretch the red rope", rope, along=[Pose(0.5, -0.113), Pose(0.5, 0.113)])


def passed(scene: Scene) -> None:
    """A rope is laid between two posts that it could topple."""
    rope = scene.add(Rope("red"))
    posts = [scene.add(Cylinder("blue", diameter=0.03, length=0.06), at=Pose(0.5, -0.137))]
    posts += [scene.add(Cylinder("green", diameter=0.03, length=0.06), at=Pose(0.5, 0.137))]
    scene.goal("stretch the red rope", rope, along=[Pose(0.5, -0.113), Pose(0.5, 0.113)])
    scene.untouched(posts)


def swept(scene: Scene) -> None:
    """A pile beside a tray that is not square to the table, and another pile."""
    zone = scene.add(Zone("green", width=0.15), at=Pose(0.45, -0.25))
    tray = scene.add(Container("blue", extents=(0.16, 0.12, 0.03)), at=Pose(0.6, 0.1, 0, 0.3))
    pile, block = scene.add(Pile("red")), scene.add(Block("red"))
    scene.goal("sweep the red crumbs into the green zone", pile, inside=zone)
    scene.goal("put the red block into the blue tray", block, inside=tray)
    scene.distract(Pile("yellow"))


def bridge(scene: Scene) -> None:
    """A slab on two pillars."""
    pillars = scene.add(Cylinder("red", diameter=0.03, length=0.05), count=2)
    stand = scene.add(Stand("blue"), at=HERE)
    slab = scene.add(Box("green", extents=(0.16, 0.05, 0.01)))
    scene.goal("put a red cylinder on each end of the blue stand", pillars, on=stand, part="ends")
    scene.goal("lay the green box on both red cylinders", slab, on=tuple(pillars))


def tray(scene: Scene) -> None:
    """A block goes into a tray that can be moved."""
    holder = scene.add(Container("blue", (0.1, 0.08, 0.04)), fixed=False)
    block = scene.add(Block("red"))
    scene.add(Stand("green", extents=(0.16, 0.1, 0.03)), at=HERE)
    scene.goal("put the red block into the blue container", block, inside=holder)


def solve(env, limit: int = 20, rng: np.random.Generator | None = None) -> int:
    """Actions until it is solved."""
    oracle = Oracle(env, rng)
    for count in range(1, limit + 1):
        if env.step(oracle.act())[2]:
            return count
    raise AssertionError(f"not solved in {limit} actions")


@pytest.mark.parametrize("task", [covered, occupied, tower, stretch])
@pytest.mark.parametrize("seed", TUNING[:3])
def test_solves(table, task, seed):
    env = table(task, obs_mode="state")
    env.reset(seed=seed)
    solve(env)


def test_what_covers_an_item_is_cleared_first(table):
    env = table(covered, obs_mode="state")
    env.reset(seed=1)
    pick = Oracle(env).act()[:2]
    env.step(Oracle(env).act())
    blue = env.world.snapshot().poses[2]
    assert np.allclose(pick, (HERE.x, HERE.y), atol=0.01)
    assert blue.z < 0.01, "the blue block went to the table, not along with the red one"
    assert blue.distance(THERE) > 0.03


def test_what_stands_at_the_place_is_cleared_first(table):
    env = table(occupied, obs_mode="state")
    env.reset(seed=1)
    assert np.allclose(Oracle(env).act()[:2], (THERE.x, THERE.y), atol=0.02)


def test_a_grasp_that_failed_is_tried_again(table):
    env = table(tower, obs_mode="state")
    env.reset(seed=2)
    first = Oracle(env).act()
    missed = first.copy()
    missed[:2] = (0.27, -0.48) if first[1] > 0 else (0.27, 0.48)
    env.step(missed)
    assert np.array_equal(Oracle(env).act(), first)


def test_every_item_keeps_its_place_when_equals_could_swap(table):
    """What stands right already is not moved, whichever of the equals it is."""
    env = table(tower, obs_mode="state")
    env.reset(seed=3)
    oracle = Oracle(env)
    env.step(oracle.act())
    low = min(range(4), key=lambda k: env.world.snapshot().poses[k].distance(THERE))
    for _ in range(3):
        env.step(oracle.act())
        assert env.world.snapshot().poses[low].distance(THERE) < 0.01


def test_a_solved_task_has_no_next_action(table):
    env = table(tower, obs_mode="state")
    env.reset(seed=5)
    solve(env)
    with pytest.raises(OracleError, match="solved"):
        Oracle(env).act()


@pytest.fixture
def piled():
    env = TabletopEnv(Program(swept), {**BOUNDS, "items": 150}, obs_mode="state")
    yield env
    env.close()


def edited(env, name: str, crumb: int, x: float, y: float) -> None:
    """Put a crumb of a pile somewhere else."""
    state = env.get_state()
    pile = next(k for k, item in enumerate(env.task_spec.items) if str(item.asset) == name)
    state["bodies"][pile][crumb][:2] = [x, y]
    env.set_state(state)


@pytest.mark.parametrize("seed", TUNING[:2])
def test_a_rope_topples_nothing(table, seed):
    env = table(passed, obs_mode="state")
    env.reset(seed=seed)
    solve(env)
    assert not env.unwrapped._info()["violation"]


def test_a_rope_beside_a_wall_is_held_where_the_cup_touches_it_alone():
    """Here the cup's rim touched the pier first, which no action of the rope's changed."""
    env = gym.make("gensim/MoorTheBoat-v0", obs_mode="state")
    env.reset(seed=10_070)
    solve(env, 12)
    env.close()


def test_a_crumb_along_a_wall_is_swept(piled):
    piled.reset(seed=1)
    wall = Pose(0.6, 0.1, 0, 0.3) @ Pose(0.0, -0.0655)
    edited(piled, "red pile", 0, wall.x, wall.y)
    solve(piled)


def test_what_belongs_elsewhere_is_swept_out(piled):
    piled.reset(seed=2)
    for k in range(5):
        edited(piled, "yellow pile", k, 0.42 + 0.015 * k, -0.25)
    solve(piled)


@pytest.mark.parametrize("seed", [2000, 2004])
def test_a_pile_is_swept_past_another_one(seed):
    """The other pile is near the way, and in the way."""
    env = gym.make("gensim/SeparatingPiles-v0", obs_mode="state")
    env.reset(seed=seed)
    solve(env, 18)
    env.close()


def test_a_toppled_pillar_is_stood_up_before_it_carries_something(table):
    env = table(bridge, obs_mode="state")
    env.reset(seed=1)
    state = env.get_state()
    pillar = state["bodies"][0][0]
    pillar[2:] = [0.015, 0.0, math.sqrt(0.5), 0.0, math.sqrt(0.5)]
    env.set_state(state)
    assert env.world.snapshot().tilts[0] > 1
    solve(env, 6)


def test_a_tray_on_its_side_is_set_upright_before_it_holds_something(table):
    env = table(tray, obs_mode="state")
    env.reset(seed=1)
    state = env.get_state()
    state["bodies"][0][0][2:] = [0.05, 0.0, math.sqrt(0.5), 0.0, math.sqrt(0.5)]
    env.set_state(state)
    assert env.world.snapshot().tilts[0] > 1
    solve(env, 4)


def test_a_box_off_the_plan_is_brought_back():
    env = gym.make("gensim/PalletizingBoxes-v0", obs_mode="state")
    env.reset(seed=2003)
    pallet = env.unwrapped.world.snapshot().poses[0]
    action = Oracle(env).act()
    action[3:] = [pallet.x, pallet.y, action[5] + 0.5]
    env.step(action)
    solve(env, 24)
    env.close()


@pytest.mark.parametrize(("name", "seed"), [("StackFourLayerRedWall", 2502), ("BuildWheel", 2501)])
def test_builds_beside_what_stands_askew(name, seed):
    """A brick at its place but turned, and a block that only just reaches over a place."""
    env = gym.make(f"gensim/{name}-v0", obs_mode="state")
    env.reset(seed=seed)
    solve(env, 10)
    env.close()


def test_acts_through_wrappers_in_unwrapped_units():
    env = RescaleAction(gym.make("gensim/PutBlockInBowl-v0", obs_mode="state"), *LIMITS)
    env.reset(seed=TUNING[0])
    action = Oracle(env).act()
    assert action.shape == (6,) and env.unwrapped.action_space.contains(action)
    assert np.array_equal(action, Oracle(env.unwrapped).act())
    env.close()


def test_refuses_other_envs():
    env = gym.make("CartPole-v1")
    with pytest.raises(TypeError, match="PoleEnv"):
        Oracle(env)
    env.close()


def test_asking_changes_nothing():
    env = gym.make("gensim/BuildWheel-v0")
    env.reset(seed=TUNING[0])
    first = gensim_envs.Oracle(env).act()
    for _ in range(3):
        assert np.array_equal(Oracle(env).act(), first)
    env.close()


def test_foresight_does_not_depend_on_what_was_tried_before():
    env = gym.make("gensim/ManipulatingRope-v0", obs_mode="state")
    env.reset(seed=TUNING[0])
    world = env.unwrapped.world
    first, *_, last = world.snapshot().bodies[1]
    drags = [np.array([*bead[:2], 0.0, THERE.x, THERE.y, 0.0]) for bead in (first, last)]
    with foresight(world) as after:
        after(drags[0])
        again = after(drags[1])
    with foresight(world) as after:
        fresh = after(drags[1])
    assert np.array_equal(again.bodies[1], fresh.bodies[1])
    env.step(drags[1].astype(np.float32))
    assert np.allclose(world.snapshot().bodies[1], fresh.bodies[1], atol=1e-3)
    env.close()


def scattered(scene: Scene) -> None:
    """Three equal blocks and one of another colour, for places of their own."""
    red = scene.add(Block("red"), count=3)
    blue = scene.add(Block("blue"))
    marks = scene.mark(Block("red"), [Pose(0.35, y) for y in (-0.1, 0.0, 0.1)])
    mark = scene.mark(Block("blue"), [Pose(0.35, 0.2)])
    scene.goal("put the blocks on their marks", [*red, blue], at=[*marks, *mark])


def test_answers_exchange_equal_items_and_symmetric_yaws(table):
    env = table(scattered, obs_mode="state")
    env.reset(seed=3)
    oracle = Oracle(env)
    answers = oracle.answers()
    assert np.array_equal(answers[0, :6], oracle.act())
    pairs = {tuple(np.round([*row[:2], *row[3:5]], 3)) for row in answers}
    assert len(pairs) == 3 * 3 + 1, "each red block for each of its places, and the blue one"
    assert len(answers) == 4 * len(pairs), "a block looks the same after a quarter of a turn"
    assert not answers[:, 6].any()
    state = env.get_state()
    for row in answers[[1, 6, -1]]:
        env.set_state(state)
        assert env.step(row[:6])[1] == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("name", "seed", "picks", "places"),
    [
        ("PlaceRedInGreen", 100_000, 1, 3),  # three green bowls for one red block
        ("PutBlockInBowl", 100_002, 2, 3),
        ("AlignBoxCorner", 100_000, 1, 2),  # either way round
        ("ColorOrderedBlocksOnPallet", 100_000, 2, 2),  # one block on each end
    ],
)
def test_answers_list_all_open_places(name, seed, picks, places):
    env = gym.make(f"gensim/{name}-v0", obs_mode="state")
    env.reset(seed=seed)
    answers = Oracle(env).answers()
    assert len(np.unique(answers[:, :2], axis=0)) == picks
    assert len(np.unique(np.round(answers[:, 3:5], 4), axis=0)) == places
    state = env.unwrapped.get_state()
    for row in answers:
        env.unwrapped.set_state(state)
        _, reward, terminated, _, _ = env.step(row[:6])
        assert reward > 0 and (terminated or len(Oracle(env).answers()))
    env.close()


def neighbours(scene: Scene) -> None:
    red, blue = scene.add(Block("red")), scene.add(Block("blue"))
    scene.goal("put the red block next to the blue block", red, next_to=blue)


def test_answers_list_every_side_of_what_something_goes_next_to(table):
    env = table(neighbours, obs_mode="state")
    env.reset(seed=0)
    oracle = Oracle(env)
    answers, blue = oracle.answers(), env.world.snapshot().poses[1]
    assert np.array_equal(answers[0, :6], oracle.act())
    sides = np.arctan2(answers[:, 4] - blue.y, answers[:, 3] - blue.x)
    assert len(np.unique(np.round(sides, 2))) >= 12
    state = env.get_state()
    for row in answers:
        env.set_state(state)
        assert env.step(row[:6])[4]["success"]


@pytest.mark.parametrize("name", ["SweepingPiles", "SeparatingPiles"])
def test_answers_list_pushes_that_gain_about_as_much_as_the_best(name):
    env = gym.make(f"gensim/{name}-v0", obs_mode="state", reward="dense")
    env.reset(seed=TUNING[0])
    oracle = Oracle(env)
    answers = oracle.answers()
    assert np.array_equal(answers[0, :6], oracle.act())
    assert len(np.unique(answers[:, :2], axis=0)) > 5, "starts of pushes differ"
    state = env.unwrapped.get_state()
    rewards = []
    for row in answers:
        env.unwrapped.set_state(state)
        rewards.append(env.step(row[:6])[1])
    # The oracle's model of pushes is simple, so that the best one is not exactly the best.
    assert min(rewards) > 0.5 * rewards[0] > 0
    env.close()


def test_a_generator_shuffles_the_order_among_equals(table):
    env = table(scattered, obs_mode="state")
    env.reset(seed=3)
    first = Oracle(env).act()
    drawn = [Oracle(env, np.random.default_rng(k)).act() for k in range(20)]
    again = [Oracle(env, np.random.default_rng(k)).act() for k in range(20)]
    assert np.array_equal(drawn, again)
    assert len({tuple(action[:2]) for action in drawn}) == 4
    assert np.array_equal(Oracle(env).act(), first)


@pytest.mark.parametrize("task", [covered, occupied, tower, scattered])
def test_solves_in_any_order(table, task):
    env = table(task, obs_mode="state")
    env.reset(seed=TUNING[0])
    solve(env, rng=np.random.default_rng(0))


@pytest.mark.parametrize("seed", TUNING[:3])
def test_sweeps_with_any_of_the_good_pushes(piled, seed):
    piled.reset(seed=seed)
    solve(piled, rng=np.random.default_rng(seed))
