"""The dense reward: the sparse one and the change of a potential."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

from gensim_envs import Oracle
from gensim_envs.api import Block, Pose, Scene, Zone
from gensim_envs.envs.potential import SHARE, potential

NOTHING = np.array([0.5, 0.0, 0.0, 0.5, 0.0, 0.0], np.float32)


def one_block(scene: Scene) -> None:
    """A block and the zone that it goes into."""
    zone = scene.add(Zone("green", width=0.12), at=Pose(0.5, 0.3))
    block = scene.add(Block("red"), at=Pose(0.4, -0.3))
    scene.goal("put the red block into the green zone", block, inside=zone)


def in_order(scene: Scene) -> None:
    """Two zones that must be filled in order."""
    zones = [scene.add(Zone("green", width=0.12), at=Pose(0.5, y)) for y in (0.1, 0.3)]
    blocks = [scene.add(Block(c), at=Pose(0.4, y)) for c, y in (("red", -0.3), ("blue", -0.1))]
    for block, zone, name in zip(blocks, zones, ("red", "blue"), strict=True):
        scene.goal(f"put the {name} block into its zone", block, inside=zone)
    scene.ordered()


def start(env) -> float:
    return potential(env.task_spec, env.judge, env._verdict, env.world.snapshot())


@pytest.mark.parametrize(
    "id", ["gensim/PutBlockInBowl-v0", "gensim/SweepingPiles-v0", "gensim/AlignRope-v0"]
)
def test_a_solved_episode_earns_one_and_what_was_missing(id):
    with gym.make(id, obs_mode="state", reward="dense") as env:
        env.reset(seed=100_001)
        missing = start(env.unwrapped)
        assert -SHARE <= missing < 0
        oracle, rewards, over = Oracle(env), [], False
        while not over:
            _, reward, done, truncated, info = env.step(oracle.act())
            rewards.append(reward)
            over = done or truncated
    assert info["success"]
    assert sum(rewards) == pytest.approx(1 - missing, abs=1e-9)


def test_doing_nothing_earns_nothing_and_nearer_is_better(table):
    env = table(one_block, obs_mode="state", reward="dense")
    env.reset(seed=1)
    assert env.step(NOTHING)[1] == 0
    state, earned = env.get_state(), []
    for y in (-0.35, -0.2, 0.0, 0.2, 0.3):
        env.set_state(state)
        earned.append(env.step(np.array([0.4, -0.3, 0, 0.5, y, 0], np.float32))[1])
    assert earned == sorted(earned)
    assert earned[0] < 0.1 < 1 < earned[-1]


def test_a_broken_rule_is_the_worst(table):
    env = table(in_order, obs_mode="state", reward="dense")
    env.reset(seed=1)
    missing = start(env)
    _, reward, done, _, info = env.step(np.array([0.4, -0.1, 0, 0.5, 0.3, 0], np.float32))
    assert done and info["violation"]
    assert reward == pytest.approx(-SHARE - missing)
    assert reward < 0


def test_the_sparse_reward_is_the_default(table):
    env, dense = (table(one_block, obs_mode="state", **o) for o in ({}, {"reward": "dense"}))
    action = np.array([0.4, -0.3, 0, 0.5, 0.0, 0], np.float32)
    for each in (env, dense):
        each.reset(seed=1)
    assert env.step(action)[1] == 0 < dense.step(action)[1]
    with pytest.raises(ValueError, match="reward"):
        table(one_block, reward="much")
