"""The instruction as an observation."""

import gymnasium as gym
import numpy as np
import pytest

from gensim_envs.wrappers import InstructionObservation, decode

ID = "gensim/StackBlockPyramid-v0"


@pytest.mark.parametrize("obs_mode", ["rgbd", "state"])
def test_the_instruction_is_part_of_the_observation(obs_mode):
    env = InstructionObservation(gym.make(ID, obs_mode=obs_mode))
    observation, info = env.reset(seed=1)
    assert env.observation_space.contains(observation)
    assert decode(observation["instruction"]) == info["instruction"]
    assert set(observation) == {"instruction"} | (
        {"state"} if obs_mode == "state" else {"color", "height"}
    )
    env.close()


def test_it_passes_through_the_shared_memory_of_spawned_workers():
    envs = gym.make_vec(
        ID,
        num_envs=2,
        vectorization_mode="async",
        wrappers=[InstructionObservation],
        vector_kwargs={"context": "spawn", "shared_memory": True},
    )
    observations, infos = envs.reset(seed=[1, 2])
    assert [decode(row) for row in observations["instruction"]] == list(infos["instruction"])
    assert not np.array_equal(*observations["instruction"])
    envs.close()
