"""Actions that choose among things and places."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.wrappers import FlattenObservation

from gensim_envs import Oracle
from gensim_envs.wrappers import ChooseThings

ID = "gensim/PutBlockInBowl-v0"


def test_a_choice_of_item_and_place_solves_and_an_empty_one_moves_nothing() -> None:
    inner = gym.make(ID, obs_mode="state", privileged=True, reward="dense")
    with ChooseThings(inner) as env:
        layout, solved = inner.unwrapped.state_layout, 0
        for seed in range(100_000, 100_003):
            state, info = env.reset(seed=seed)
            present = layout.items.field(state, "present")[:, 0]
            if not present.all():
                empty = int(present.argmin())
                assert abs(env.step(np.array([empty, 0]))[1]) < 1e-5
            done = False
            for _ in range(6):
                goal = Oracle(env).act()
                rows = [
                    np.concatenate([b.field(state, "position") for b in blocks])[:, :2]
                    for blocks in ((layout.items,), (layout.items, layout.places, layout.targets))
                ]
                ends = goal[:2], goal[3:5]
                choice = [
                    np.linalg.norm(row - end, axis=1).argmin()
                    for row, end in zip(rows, ends, strict=True)
                ]
                state, _, done, _, info = env.step(np.array(choice))
                if done:
                    break
            solved += info["success"]
        assert solved == 3
        assert env.action_space.contains(env.action_space.sample())


def test_a_wrapped_env_is_made_again_from_its_spec() -> None:
    env = ChooseThings(gym.make(ID, obs_mode="state", privileged=True))
    with gym.make(env.spec) as again:
        assert again.action_space == env.action_space
    env.close()


@pytest.mark.parametrize(
    ("options", "wrapper", "message"),
    [
        ({"obs_mode": "state"}, None, "privileged=True"),
        ({"obs_mode": "rgbd"}, FlattenObservation, "privileged=True"),
        ({"obs_mode": "rgbd"}, None, "privileged=True"),
    ],
)
def test_other_envs_are_refused(options: dict[str, Any], wrapper: Any, message: str) -> None:
    env = gym.make(ID, **options)
    with pytest.raises(TypeError, match=message):
        ChooseThings(env if wrapper is None else wrapper(env))
    env.close()


def test_an_env_with_other_actions_is_refused() -> None:
    with pytest.raises(TypeError, match="actions"):
        ChooseThings(gym.make("CartPole-v1"))
