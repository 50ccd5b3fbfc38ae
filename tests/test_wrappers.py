"""The wrappers of observations and actions."""

from __future__ import annotations

import math
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.wrappers import FlattenObservation, RescaleAction
from hypothesis import given
from hypothesis import strategies as st

from gensim_envs import rollout, seeds
from gensim_envs.oracle import Oracle
from gensim_envs.sim.views import PIXEL
from gensim_envs.task.assets import COLORS
from gensim_envs.task.pose import wrap
from gensim_envs.wrappers import (
    HeightImage,
    InstructionEmbedding,
    InstructionObservation,
    PixelAction,
    action_to_pixels,
    decode,
    hash_words,
    pixels_to_action,
)

ID = "gensim/StackBlockPyramid-v0"
SEED = seeds.TUNING[0]
each_mode = pytest.mark.parametrize("obs_mode", ["rgbd", "state"])


@pytest.fixture
def make() -> Iterator[Any]:
    """`gym.make` whose envs are closed."""
    envs: list[gym.Env[Any, Any]] = []

    def opened(id: str | EnvSpec = ID, **options: Any) -> gym.Env[Any, Any]:
        envs.append(gym.make(id, **options))
        return envs[-1]

    yield opened
    for env in envs:
        env.close()


def letters(sentence: str) -> list[int]:
    """How often a sentence has each of 26 letters: an encoder of somebody's own."""
    return [sentence.count(chr(97 + each)) for each in range(26)]


# -------------------------------------------------------------------------------- every wrapper

WRAPPERS: dict[str, Any] = {
    "InstructionObservation": InstructionObservation,
    "InstructionEmbedding": InstructionEmbedding,
    "an encoder": partial(InstructionEmbedding, encode=letters),
    "HeightImage": HeightImage,
    "PixelAction": partial(PixelAction, rotations=8),
}


@pytest.mark.parametrize("wrapper", WRAPPERS.values(), ids=WRAPPERS)
def test_a_wrapped_env_is_made_anew_from_its_spec(wrapper: Any, make: Any) -> None:
    env = wrapper(make())
    again = make(pickle.loads(pickle.dumps(env.spec)))
    assert type(again) is type(env)
    assert again.observation_space == env.observation_space
    assert again.action_space == env.action_space
    first, second = env.reset(seed=SEED)[0], again.reset(seed=SEED)[0]
    assert all(np.array_equal(first[key], second[key]) for key in first)
    action = env.action_space.sample()
    assert env.step(action)[1:] == again.step(action)[1:]


@pytest.mark.parametrize("name", sorted(set(WRAPPERS) - {"an encoder"}))
def test_a_spec_without_functions_survives_json(name: str, make: Any) -> None:
    env = WRAPPERS[name](make())
    again = make(EnvSpec.from_json(env.spec.to_json()))
    assert again.spec == env.spec
    assert again.action_space == env.action_space


def test_wrappers_work_in_spawned_workers() -> None:
    def lengths(sentence: str) -> list[int]:
        return [len(sentence), len(sentence.split())]

    envs = gym.make_vec(
        ID,
        num_envs=2,
        vectorization_mode="async",
        wrappers=[HeightImage, partial(InstructionEmbedding, encode=lengths), PixelAction],
        vector_kwargs={"context": "spawn"},
    )
    observations, infos = envs.reset(seed=SEED)
    for number, sentence in enumerate(infos["instruction"]):
        expected = lengths(sentence) / np.linalg.norm(lengths(sentence))
        np.testing.assert_allclose(observations["instruction"][number], expected, atol=1e-6)
    assert observations["height"].shape == (2, 160, 320, 1)
    assert envs.single_action_space == gym.spaces.MultiDiscrete([160, 320, 36] * 2)
    assert envs.observation_space.contains(envs.step(envs.action_space.sample())[0])
    envs.close()


# ------------------------------------------------------------------------------ Stable-Baselines3


def check(env: gym.Env[Any, Any]) -> None:
    # Here, because it loads PyTorch, which takes seconds.
    from stable_baselines3.common.env_checker import check_env

    check_env(env)


@pytest.mark.parametrize("id", [ID, "gensim/SweepingPiles-v0"])
@each_mode
def test_stable_baselines_checker_finds_nothing(id: str, obs_mode: str, make: Any) -> None:
    """Neither errors nor warnings, which are errors here."""
    env = make(id, obs_mode=obs_mode)
    if obs_mode == "rgbd":
        env = HeightImage(env)
    check(RescaleAction(InstructionEmbedding(env), -1, 1))


@pytest.mark.parametrize(
    "wrap",
    [
        lambda env: RescaleAction(env, -1, 1),
        lambda env: RescaleAction(InstructionObservation(env), -1, 1),
        lambda env: RescaleAction(FlattenObservation(InstructionEmbedding(env)), -1, 1),
        PixelAction,
    ],
    ids=["plain", "bytes", "flat", "pixels"],
)
def test_stable_baselines_takes_the_state_in_other_forms(wrap: Any, make: Any) -> None:
    check(wrap(make(obs_mode="state")))


# ----------------------------------------------------------------------------- the instruction


@pytest.mark.parametrize("wrapper", [InstructionObservation, InstructionEmbedding])
@each_mode
def test_the_instruction_is_part_of_the_observation(wrapper: Any, obs_mode: str, make: Any) -> None:
    env = wrapper(make(obs_mode=obs_mode))
    oracle, sentences = Oracle(env), set()

    def check(observation: Any, info: dict[str, Any]) -> np.ndarray:
        assert env.observation_space.contains(observation)
        keys = {"state"} if obs_mode == "state" else {"color", "height"}
        assert set(observation) == {"instruction", *keys}
        sentences.add(info["instruction"])
        if wrapper is InstructionObservation:
            assert decode(observation["instruction"]) == info["instruction"]
        else:
            counts = hash_words(info["instruction"])
            unit = counts / np.linalg.norm(counts)
            np.testing.assert_allclose(observation["instruction"], unit, atol=1e-6)
        return oracle.act()

    assert rollout(env, check, seed=SEED).success
    assert len(sentences) == 3


def test_it_passes_through_the_shared_memory_of_spawned_workers() -> None:
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


def test_observations_may_be_written_to(make: Any) -> None:
    env = InstructionEmbedding(make(obs_mode="state"))
    first = env.reset(seed=SEED)[0]["instruction"].copy()
    env.reset(seed=SEED)[0]["instruction"][:] = 7
    assert np.array_equal(env.reset(seed=SEED)[0]["instruction"], first)


def test_a_sentence_is_encoded_once(make: Any) -> None:
    seen = []

    def encode(sentence: str) -> list[int]:
        seen.append(sentence)
        return letters(sentence)

    env = InstructionEmbedding(make(obs_mode="state"), encode)
    for _ in range(3):
        info = env.reset(seed=SEED)[1]
    assert seen.count(info["instruction"]) == 1


@pytest.mark.parametrize(
    ("encode", "says"),
    [
        (lambda sentence: [[1.0, 2.0]], r"shape \(1, 2\)"),
        (lambda sentence: [math.nan], "finite"),
        (lambda sentence: [], r"shape \(0,\)"),
        (lambda sentence: 1.0, r"shape \(\)"),
    ],
)
def test_an_encoder_that_gives_no_vector_is_refused(encode: Any, says: str, make: Any) -> None:
    with pytest.raises(ValueError, match=says):
        InstructionEmbedding(make(), encode)


def test_an_encoder_whose_vectors_differ_in_length_is_refused(make: Any) -> None:
    env = InstructionEmbedding(make(), lambda sentence: np.ones(len(sentence)))
    with pytest.raises(ValueError, match="the size must not change"):
        env.reset(seed=SEED)


def test_one_instruction_is_enough(make: Any) -> None:
    with pytest.raises(ValueError, match="already"):
        InstructionEmbedding(InstructionObservation(make()))


@pytest.mark.parametrize("wrapper", [InstructionObservation, InstructionEmbedding, PixelAction])
def test_other_envs_are_refused(wrapper: Any) -> None:
    with pytest.raises(TypeError, match="this suite"):
        wrapper(gym.make("CartPole-v1"))


# ------------------------------------------------------------------------------------ hashed words


@given(st.text(max_size=300))
def test_hashed_words_are_finite_numbers(sentence: str) -> None:
    hashed = hash_words(sentence)
    assert hashed.shape == (128,)
    assert hashed.dtype == np.float32
    assert np.isfinite(hashed).all()
    assert np.array_equal(hashed, hash_words(sentence))


def test_hashed_words_are_the_same_in_any_process() -> None:
    sentence = "put the red block into the blue bowl"
    code = f"from gensim_envs.wrappers import hash_words; print(hash_words({sentence!r}).tolist())"
    for salt in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": salt},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert done.stdout.splitlines()[-1] == str(hash_words(sentence).tolist())


def test_hashed_words_tell_colours_and_their_order_apart() -> None:
    sentences = [
        f"put the {one} block into the {other} bowl"
        for one in COLORS
        for other in COLORS
        if one != other
    ]
    hashed = np.array([hash_words(sentence) for sentence in sentences])
    assert len(np.unique(hashed, axis=0)) == len(sentences) > 50


def test_sentences_that_share_words_are_nearer() -> None:
    def likeness(one: str, other: str) -> float:
        a, b = hash_words(one), hash_words(other)
        return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))

    said = "put the red block into the blue bowl"
    assert likeness(said, "put the red block into the green bowl") > 0.5
    assert likeness(said, "sweep all crumbs onto one square zone") < 0.3


# ------------------------------------------------------------------------------------------ heights


def test_heights_become_millimetres(make: Any) -> None:
    env = HeightImage(make())
    observation, _ = env.reset(seed=SEED)
    metres = env.unwrapped.world.top_down().height
    assert env.observation_space.contains(observation)
    assert observation["height"].max() > 20
    assert np.abs(observation["height"][..., 0] / 1000 - metres).max() <= 0.0005 + 1e-6


def test_a_height_image_needs_heights(make: Any) -> None:
    with pytest.raises(ValueError, match="obs_mode='rgbd'"):
        HeightImage(make(obs_mode="state"))


# ------------------------------------------------------------------------------------------- pixels

metres = st.tuples(st.floats(0.25, 0.75), st.floats(-0.5, 0.5))
actions = st.builds(
    lambda pick, place, yaws: [*pick, yaws[0], *place, yaws[1]],
    metres,
    metres,
    st.tuples(*[st.floats(-math.pi, math.pi)] * 2),
)


@given(actions, st.integers(1, 72))
def test_a_pixel_is_half_a_pixel_and_half_a_step_away_at_most(
    action: list[float], rotations: int
) -> None:
    near = pixels_to_action(action_to_pixels(action, rotations), rotations)
    off = np.abs(near - np.array(action))
    assert off[[0, 1, 3, 4]].max() <= PIXEL / 2 + 1e-6
    for number in (2, 5):
        assert abs(wrap(float(near[number]) - action[number])) <= math.pi / rotations + 1e-6


@given(st.data(), st.integers(1, 72))
def test_a_pixel_stays_the_same_pixel(data: Any, rotations: int) -> None:
    third = st.tuples(st.integers(0, 159), st.integers(0, 319), st.integers(0, rotations - 1))
    pixels = [*data.draw(third), *data.draw(third)]
    assert action_to_pixels(pixels_to_action(pixels, rotations), rotations).tolist() == pixels


def test_pixel_actions_lie_in_both_spaces(make: Any) -> None:
    env = PixelAction(make())
    assert env.action_space == gym.spaces.MultiDiscrete([160, 320, 36] * 2)
    last = env.action_space.nvec - 1
    env.action_space.seed(0)
    for pixels in (np.zeros(6, np.int64), last, *(env.action_space.sample() for _ in range(50))):
        assert env.unwrapped.action_space.contains(env.action(pixels))
        assert env.action_space.contains(action_to_pixels(env.action(pixels)))


def test_rotation_zero_is_yaw_zero() -> None:
    assert pixels_to_action([0, 0, 0, 159, 319, 0])[[2, 5]].tolist() == [0, 0]
    assert pixels_to_action([0, 0, 9, 0, 0, 27])[[2, 5]] == pytest.approx(
        [math.pi / 2, -math.pi / 2]
    )


def test_a_classifier_that_copies_the_oracle_succeeds(make: Any) -> None:
    env = PixelAction(make("gensim/PutBlockInBowl-v0", obs_mode="state"))
    oracle = Oracle(env)
    for seed in range(SEED, SEED + 5):
        assert rollout(env, lambda *_: action_to_pixels(oracle.act()), seed=seed).success


@pytest.mark.parametrize(
    "pixels",
    [[0] * 5, [160, 0, 0, 0, 0, 0], [0, 0, 36, 0, 0, 0], [0, 0, 0, -1, 0, 0], [0.5] * 6],
    ids=str,
)
def test_invalid_pixels_are_refused(pixels: Any) -> None:
    with pytest.raises(ValueError, match=r"is not in MultiDiscrete"):
        pixels_to_action(pixels)


def test_actions_outside_the_image_are_refused() -> None:
    with pytest.raises(ValueError, match="place y"):
        action_to_pixels([0.5, 0, 0, 0.5, 0.6, 0])


def test_there_is_at_least_one_rotation(make: Any) -> None:
    with pytest.raises(ValueError, match="rotations is 0"):
        PixelAction(make(), rotations=0)


def test_pixels_go_below_wrappers_that_change_actions(make: Any) -> None:
    with pytest.raises(TypeError, match="apply PixelAction before"):
        PixelAction(RescaleAction(make(), -1, 1))
