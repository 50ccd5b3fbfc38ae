"""The simulated arm: its limits, what it does as the direct motion does, and what it tells."""

from __future__ import annotations

import hashlib
import json
import math
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pybullet as p
import pytest
from conftest import NOTHING
from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv
from hypothesis import given, settings
from hypothesis import strategies as st

from gensim_envs import seeds
from gensim_envs.api import Block, Bowl, Box, Pile, Pose, Rope, Scene, Zone
from gensim_envs.oracle import Oracle
from gensim_envs.sim.arm.dynamics import HOME, JointTrajectory
from gensim_envs.sim.arm.robot import BLADE_SIZE, LIMITS, forward, highest, inverse
from gensim_envs.sim.arm.trajectory import arc, line, plan, rounded
from gensim_envs.sim.client import STEP

PLAYED = ["gensim/PutBlockInBowl-v0", "gensim/TowersOfHanoi-v0", "gensim/BlockInsertion-v0",
          "gensim/CloseTheGate-v0", "gensim/SweepingPiles-v0"]  # fmt: skip
SEED = seeds.TUNING[0]
TIPS = st.tuples(st.floats(0.25, 0.75), st.floats(-0.5, 0.5), st.floats(0.0, 0.2), st.floats(-3, 3))


def act(x: float, y: float, to_x: float, to_y: float, turn: float = 0.0) -> np.ndarray:
    return np.array([x, y, 0, to_x, to_y, turn])


def one_block(scene: Scene) -> None:
    block = scene.add(Block("red"), at=Pose(0.4, -0.2))
    scene.goal("move the block", block, at=scene.mark(block, Pose(0.6, 0.3)))


def fingerprint(env: Any, seed: int) -> list[str]:
    """A digest of each observation, reward and trajectory of at most two of the oracle's steps."""
    observation, info = env.reset(seed=seed)
    oracle, over, reward = Oracle(env), False, 0.0
    digests: list[str] = []
    while True:
        digest = hashlib.sha256(repr(reward).encode())
        for value in (*observation.values(), *vars(info["joints"]).values()):
            digest.update(np.ascontiguousarray(value).tobytes())
        digests.append(digest.hexdigest())
        if over or len(digests) == 3:
            return digests
        observation, reward, terminated, truncated, info = env.step(oracle.act())
        over = terminated or truncated


@cache
def played(id: str) -> tuple[bool, tuple[JointTrajectory, ...], tuple[np.ndarray, ...]]:
    """Success, trajectories and actions of the oracle's first two steps, or fewer."""
    env = gym.make(id, obs_mode="state", motion="arm", joints=True)
    _, info = env.reset(seed=SEED)
    oracle = Oracle(env)
    trajectories, actions = [info["joints"]], []
    while not info["success"] and len(actions) < 2:
        actions.append(oracle.act())
        info = env.step(actions[-1])[-1]
        trajectories.append(info["joints"])
    env.close()
    return info["success"], tuple(trajectories), tuple(actions)


each_played = pytest.mark.parametrize("id", PLAYED)


# ------------------------------------------------------------------------------------------ plans


@given(start=TIPS, end=TIPS, bent=st.booleans())
@settings(deadline=None, max_examples=40)
def test_a_plan_keeps_the_joints_within_their_speeds(start: Any, end: Any, bent: bool) -> None:
    """From rest to rest, from one end of the way to the other, on one branch."""
    way = arc(start, end) if bent else line(start, (*start[:2], end[2], start[3]))
    joints = inverse(start[:3], start[3])
    tips = plan(way, joints)
    np.testing.assert_allclose(tips[-1], way(np.ones(1))[0], atol=1e-9)
    turns = [joints]
    for tip in tips:
        turns.append(inverse(tip[:3], tip[3], turns[-1]))
    speeds = np.diff(turns, axis=0) / STEP
    assert np.all(np.abs(speeds) < 0.95 * np.array(LIMITS.speed))
    assert np.abs(speeds[[0, -1]]).max() < 0.05
    assert np.abs(np.diff(speeds, axis=0)).max() / STEP < 20
    assert np.all(np.array(turns)[:, 2] > 0)


def test_a_plan_obeys_the_speed_and_the_acceleration_that_it_is_given() -> None:
    start, end = np.array([0.4, -0.3, 0.1, 0.0]), np.array([0.4, 0.3, 0.1, 0.0])
    joints = inverse(start[:3], 0.0)
    for speed, acceleration in ((0.2, math.inf), (math.inf, 0.5), (0.3, 1.0)):
        tips = np.array([start, *plan(line(start, end), joints, speed, acceleration)])
        velocity = np.diff(tips[:, 1]) / STEP
        assert velocity.max() < speed + 1e-6
        assert np.abs(np.diff(velocity)).max() / STEP < acceleration + 1e-3
    assert len(plan(line(start, end), joints)) < 300


def test_a_rounded_way_passes_near_its_corners_and_ends_where_it_should() -> None:
    corners = np.array([(0.4, 0, 0, 0), (0.4, 0, 0.05, 0), (0.5, 0.1, 0.05, 0), (0.5, 0.1, 0, 0)])
    tips = rounded(corners, 0.01)(np.linspace(0, 1, 400))
    np.testing.assert_allclose(tips[[0, -1]], corners[[0, -1]], atol=1e-12)
    for corner in corners[1:-1]:
        assert 0.001 < np.linalg.norm(tips - corner, axis=1).min() < 0.006
    assert np.abs(np.diff(tips, axis=0)).max() < 0.002


def test_the_highest_tip_is_within_reach() -> None:
    for x in np.linspace(0.25, 0.75, 6):
        for y in np.linspace(-0.5, 0.5, 11):
            joints = inverse((x, y, highest(x, y)), 0.0)
            assert math.radians(9.9) < joints[2] < math.radians(10.1)


# ----------------------------------------------------------------------------------- what it does


@each_played
def test_joints_keep_their_limits_and_touch_nothing(id: str) -> None:
    _, trajectories, _ = played(id)
    for joints in trajectories[1:]:
        assert len(joints.time) > 240
        assert np.all(np.abs(joints.position) <= LIMITS.position)
        assert np.all(np.abs(joints.velocity) <= LIMITS.speed)
        assert np.all(np.abs(joints.torque) < 0.8 * np.array(LIMITS.torque))
        assert joints.touched == ()
        # As a real arm would be sent them: no jump, and elbow up, shoulder left, wrist in.
        assert np.all(np.abs(np.diff(joints.position, axis=0)) <= np.array(LIMITS.speed) * STEP)
        np.testing.assert_allclose(np.diff(joints.time), STEP, rtol=1e-9)
        assert np.all(joints.position[:, 2] > math.radians(9))
        np.testing.assert_allclose(joints.position[:, 4], -math.pi / 2, atol=1e-3)
        # The velocities are those of the positions.
        moved = np.diff(joints.position, axis=0) / STEP
        np.testing.assert_allclose(moved, joints.velocity[1:], atol=1e-6)
        np.testing.assert_allclose(joints.position[-1], inverse(HOME[:3], 0.0), atol=1e-4)


@each_played
def test_the_cup_holds_something_from_the_pick_to_the_place(id: str) -> None:
    """The tip, by the joints' angles, is where the action says when it grasps and lets go."""
    _, trajectories, actions = played(id)
    for joints, action in zip(trajectories[1:], actions, strict=True):
        held = np.flatnonzero(joints.suction)
        if id == "gensim/SweepingPiles-v0":
            assert len(held) == 0
            continue
        assert np.all(np.diff(held) == 1)
        for moment, point in ((held[0] - 1, action[:2]), (held[-1], action[3:5])):
            tip = forward(joints.position[moment])[-1]
            np.testing.assert_allclose(tip[:2, 3], point, atol=2e-4)
            assert tip[2, 2] == pytest.approx(-1, abs=1e-6)  # straight down


@each_played
def test_trajectories_follow_each_other(id: str) -> None:
    _, trajectories, _ = played(id)
    first = trajectories[0]
    assert first.position.shape == first.velocity.shape == first.torque.shape == (0, 6)
    assert first.time.shape == first.suction.shape == (0,)
    assert first.suction.dtype == bool
    time = np.concatenate([joints.time for joints in trajectories])
    assert time[0] == pytest.approx(STEP)
    np.testing.assert_allclose(np.diff(time), STEP, rtol=1e-6)


@pytest.mark.parametrize("id", ["gensim/PutBlockInBowl-v0", "gensim/BlockInsertion-v0"])
def test_the_oracle_succeeds_with_the_arm(id: str) -> None:
    assert played(id)[0]


def test_links_are_where_the_joints_put_them(table: Any) -> None:
    env = table(one_block, obs_mode="state", motion="arm")
    env.reset(seed=0)
    env.world.watcher = watcher = Poses(env.world)
    env.step(act(0.4, -0.2, 0.6, 0.3, 1.0))
    assert watcher.seen > 20
    assert watcher.worst < 1e-6


class Poses:
    """Compares pybullet's links with the kinematics while the arm moves."""

    def __init__(self, world: Any) -> None:
        self.world, self.steps, self.seen, self.worst = world, 0, 0, 0.0

    def stepped(self, tip: Any, tool: Any) -> None:
        self.steps += 1
        if self.steps % 30:
            return
        self.seen += 1
        arm, client = self.world.arm, self.world.client.id
        frames = forward(arm.joints())
        # A link of pybullet's begins at its joint: where the DH frame before it ends.
        for link in range(7):
            state = p.getLinkState(arm.body, link, 0, 1, physicsClientId=client)
            frame = frames[7 if link == 6 else link]
            self.worst = max(self.worst, float(np.abs(frame[:3, 3] - state[4]).max()))


@pytest.mark.parametrize("turn", [0.0, 1.2, -3.0, 3.1])
def test_a_thing_keeps_its_offset_from_the_tip_and_turns(table: Any, turn: float) -> None:
    def build(scene: Scene) -> None:
        box = scene.add(Box("red", extents=(0.1, 0.05, 0.03)), at=Pose(0.4, -0.2, 0, 0.4))
        scene.goal("move the box", box, at=scene.mark(box, Pose(0.6, 0.3)))

    env = table(build, obs_mode="state", motion="arm")
    env.reset(seed=0)
    tip = Pose(0.4, -0.2, 0, 0.4) @ Pose(0.03, 0.01)
    env.step(act(tip.x, tip.y, 0.6, 0.2, turn))
    wanted = Pose(0.6, 0.2, 0, 0.4 + turn) @ Pose(0.03, 0.01).inverse()
    pose = env.world.snapshot().poses[0]
    np.testing.assert_allclose((pose.x, pose.y, pose.z), (wanted.x, wanted.y, 0), atol=0.0005)
    assert math.sin(pose.yaw - 0.4 - turn) == pytest.approx(0, abs=0.005)


def test_a_bowl_is_carried_with_what_is_in_it(table: Any) -> None:
    def build(scene: Scene) -> None:
        bowl = scene.add(Bowl("green"), at=Pose(0.4, -0.2))
        block = scene.add(Block("red"), at=Pose(0.6, 0.0))
        scene.goal("fill the bowl", block, inside=bowl)

    env = table(build, obs_mode="state", motion="arm", joints=True)
    env.reset(seed=0)
    assert env.step(act(0.6, 0.0, 0.4, -0.2))[2]
    info = env.step(act(0.458, -0.2, 0.658, 0.3))[-1]
    bowl, block = env.world.snapshot().poses
    np.testing.assert_allclose((bowl.x, bowl.y, bowl.z), (0.6, 0.3, 0), atol=0.004)
    assert block.distance(bowl) < 0.03
    assert info["success"]
    assert info["joints"].touched == ()


def test_the_blade_pushes_crumbs_ahead_of_it(table: Any) -> None:
    def build(scene: Scene) -> None:
        zone = scene.add(Zone("gray"), at=Pose(0.5, 0.4))
        scene.goal("sweep", scene.add(Pile("red")), inside=zone)

    env = table(build, obs_mode="state", motion="arm")
    env.reset(seed=0)
    before = env.world.snapshot().bodies[1]
    x, y, _ = middle = before.mean(axis=0)
    env.step(act(x, y - 0.1, x, y + 0.1))
    after = env.world.snapshot().bodies[1] - middle
    swept = np.abs(before[:, 0] - x) < BLADE_SIZE[1] / 2 - 0.01
    assert swept.sum() > 30
    assert (after[swept, 1] > 0.1).mean() > 0.85  # a few slip past its ends
    assert np.all(np.abs(after[swept, 1]) > BLADE_SIZE[0] / 2)


def test_a_bead_is_laid_where_it_is_drawn(table: Any) -> None:
    def build(scene: Scene) -> None:
        scene.goal("lay", scene.add(Rope("red")), along=[Pose(0.3, -0.3), Pose(0.3, -0.08)])

    env = table(build, obs_mode="state", motion="arm", joints=True)
    env.reset(seed=0)
    x, y = env.world.snapshot().bodies[0][0, :2]
    info = env.step(act(x, y, 0.4, -0.2))[-1]
    assert np.linalg.norm(env.world.snapshot().bodies[0][0, :2] - (0.4, -0.2)) < 0.004
    assert info["joints"].touched == ()


def test_picking_nothing_moves_only_the_arm(table: Any) -> None:
    env = table(one_block, motion="arm", joints=True)
    before, _ = env.reset(seed=0)
    after, reward, _, _, info = env.step(act(0.6, 0.1, 0.3, 0.3))
    assert reward == 0
    assert all(np.array_equal(before[key], after[key]) for key in before)
    lowest = min(forward(q)[-1][2, 3] for q in info["joints"].position)
    assert lowest == pytest.approx(0.001, abs=1e-4)
    assert not info["joints"].suction.any()


def test_what_is_touched_is_named_and_stops_the_arm(table: Any) -> None:
    """A wall close behind a block is where wrist and forearm have to be."""

    def build(scene: Scene) -> None:
        block = scene.add(Block("red"), at=Pose(0.6, 0.0))
        scene.add(Box("blue", extents=(0.02, 0.3, 0.4)), at=Pose(0.53, 0.0), fixed=True)
        scene.goal("move the block", block, at=scene.mark(block, Pose(0.6, 0.3)))

    env = table(build, obs_mode="state", motion="arm", joints=True)
    env.reset(seed=0)
    joints = env.step(act(0.6, 0.0, 0.6, 0.3))[-1]["joints"]
    assert joints.touched
    assert all(name.endswith(" and blue box") for name in joints.touched)
    assert joints.time[-1] < 20
    assert env.step(act(0.3, 0.3, 0.3, 0.3))[-1]["joints"].touched == ()


def test_what_is_too_high_to_be_reached_is_left(table: Any) -> None:
    def build(scene: Scene) -> None:
        tower = scene.add(Box("red", extents=(0.08, 0.08, 0.4)), at=Pose(0.71, 0.46))
        scene.goal("move the tower", tower, at=scene.mark(tower, Pose(0.4, -0.2)))

    env = table(build, obs_mode="state", motion="arm", joints=True)
    env.reset(seed=0)
    info = env.step(act(0.74, 0.49, 0.4, -0.2))[-1]
    assert not info["joints"].suction.any()
    assert info["joints"].touched == ()
    assert info["progress"] == 0


# -------------------------------------------------------------------------------- what is seen


def test_agents_never_see_the_arm(table: Any) -> None:
    """At home none of it is over the workspace, and none of it is drawn."""
    direct, env = table(one_block), table(one_block, motion="arm")
    direct.reset(seed=0)
    env.reset(seed=0)
    for action in (None, act(0.4, -0.2, 0.5, 0.1)):
        if action is not None:
            env.step(action)
        arm, client = env.world.arm.body, env.world.client.id
        boxes = [p.getAABB(arm, link, physicsClientId=client) for link in range(-1, 7)]
        assert max(high[0] for _, high in boxes) < 0.25
        assert arm not in env.world.top_down().body
    blank = env.world.client.id
    for body in [body for bodies in env.world.bodies for body in bodies]:
        p.removeBody(body, physicsClientId=blank)
    env.world.arm.command(np.array([0.5, 0.0, 0.1, 0.0]))
    for joint, angle in enumerate(env.world.arm.target):
        p.resetJointState(arm, joint, angle, physicsClientId=blank)
    assert (env.world.top_down().body == -1).all()


@pytest.mark.parametrize("obs_mode", ["rgbd", "state"])
def test_an_episode_begins_as_in_direct_motion(obs_mode: str) -> None:
    first = []
    for motion in ("direct", "arm"):
        env = gym.make("gensim/BuildCar-v0", obs_mode=obs_mode, motion=motion)
        observation, info = env.reset(seed=SEED)
        parts = observation if isinstance(observation, dict) else {"state": observation}
        first.append(({key: value.tobytes() for key, value in parts.items()}, info))
        env.close()
    assert first[0] == first[1]


def test_filming_shows_the_arm_and_changes_no_bit(
    table: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gensim_envs.sim.video._FRAME_STEPS", 60)  # fewer pictures, to save time
    found = []
    for render_mode in (None, "rgb_array_list"):
        env = table(one_block, motion="arm", joints=True, render_mode=render_mode)
        env.reset(seed=3)
        observation, *_, info = env.step(act(0.4, -0.2, 0.6, 0.3))
        found.append((observation["height"].tobytes(), info["joints"].position.tobytes()))
    assert found[0] == found[1]
    frames = env.render()
    assert len(frames) > 10
    changed = [np.any(frame != frames[0], axis=-1).mean() for frame in frames]
    assert max(changed) > 0.03  # the arm was elsewhere
    assert changed[-1] < max(changed) / 2  # and is at home again


# ---------------------------------------------------------------------------------- equal seeds


SAME = ["gensim/PutBlockInBowl-v0", "gensim/ManipulatingRope-v0"]
FRESH = """
import json, sys
import gymnasium as gym
import gensim_envs
sys.path.insert(0, sys.argv[1])
from test_arm import fingerprint
made = [gym.make(id, motion="arm", joints=True) for id in sys.argv[3:]]
print(json.dumps([fingerprint(env, int(sys.argv[2])) for env in made]))
"""


def test_equal_seeds_give_equal_episodes_in_any_process() -> None:
    here = []
    for id in SAME:
        env = gym.make(id, motion="arm", joints=True)
        other = fingerprint(env, SEED + 1)
        here.append(fingerprint(env, SEED))  # after another episode
        assert here[-1] != other
        env.close()
    done = subprocess.run(
        [sys.executable, "-c", FRESH, str(Path(__file__).parent), str(SEED), *SAME],
        capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout.splitlines()[-1]) == here


# -------------------------------------------------------------------------------- options and info


def test_joints_without_an_arm_say_what_is_missing() -> None:
    with pytest.raises(ValueError, match='joints=True needs motion="arm"'):
        gym.make(SAME[0], joints=True)
    with pytest.raises(ValueError, match="joints is 'all'"):
        gym.make(SAME[0], motion="arm", joints="all")


@pytest.mark.parametrize("joints", [False, True])
def test_info_has_the_same_keys_at_reset_and_step(table: Any, joints: bool) -> None:
    env, direct = table(one_block, motion="arm", joints=joints), table(one_block)
    _, first = env.reset(seed=0)
    *_, then = env.step(NOTHING)
    assert (
        set(first) == set(then) == set(direct.reset(seed=0)[1]) | ({"joints"} if joints else set())
    )


@pytest.mark.parametrize("form", [SyncVectorEnv, AsyncVectorEnv], ids=["sync", "async"])
def test_vector_envs_hand_trajectories_on(form: Any) -> None:
    """Of different lengths; an array for each key would not hold them."""

    def make() -> gym.Env[Any, Any]:
        return gym.make(f"gensim_envs:{SAME[0]}", obs_mode="state", motion="arm", joints=True)

    envs = form([make, make], **({"context": "fork"} if form is AsyncVectorEnv else {}))
    try:
        _, infos = envs.reset(seed=[SEED, SEED + 1])
        assert [len(joints.time) for joints in infos["joints"]] == [0, 0]
        *_, infos = envs.step(np.stack([NOTHING, act(0.3, 0.1, 0.6, 0.2, 1.0).astype(np.float32)]))
        lengths = [len(joints.time) for joints in infos["joints"]]
        assert min(lengths) > 100
        assert lengths[0] != lengths[1]
    finally:
        envs.close()


def test_a_push_after_a_pick_changes_the_tool_and_forgets_the_pick(table: Any) -> None:
    def build(scene: Scene) -> None:
        zone = scene.add(Zone("gray"), at=Pose(0.5, 0.4))
        block = scene.add(Block("blue"), at=Pose(0.3, -0.3))
        scene.goal("move the block", block, at=scene.mark(block, Pose(0.3, 0.3)))
        scene.goal("sweep", scene.add(Pile("red")), inside=zone)

    env = table(build, obs_mode="state", motion="arm", joints=True)
    env.reset(seed=0)
    first = env.step(act(0.3, -0.3, 0.3, 0.3))[-1]["joints"]
    assert env.pushes
    still = env.step(act(0.6, 0.0, 0.6, 0.0))[-1]["joints"]
    assert len(still.time) == 0
    then = env.step(act(0.7, -0.4, 0.7, -0.3))[-1]["joints"]
    assert first.suction.any()
    assert not then.suction.any()
