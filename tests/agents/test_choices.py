"""Actions that choose among things and places."""

from __future__ import annotations

import gymnasium as gym
import numpy as np

import gensim_envs
from agents.policies.choices import ChooseThings
from gensim_envs import Oracle

ID = "gensim/PutBlockInBowl-v0"


def test_a_choice_of_item_and_place_solves_and_an_empty_one_moves_nothing() -> None:
    bounds = gensim_envs.common_bounds([ID])
    inner = gym.make(ID, obs_mode="state", privileged=True, reward="dense")
    with ChooseThings(inner, bounds) as env:
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
