"""PPO and SAC: an interrupted run resumes exactly, and its policy can be evaluated."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch

from agents import checkpoint
from agents.errors import AgentsError, Stopped
from agents.evaluation.evaluate import evaluate
from agents.policies.learned import LearnedPolicy, policy_config
from agents.training import rl
from gensim_envs.seeds import TEST, TRAINING

BOX = "gensim/AlignBoxCorner-v0"
TINY: dict[str, dict[str, Any]] = {
    "ppo": {"n_steps": 16, "batch_size": 16, "n_epochs": 2, "hidden": [8]},
    "sac": {"learning_starts": 12, "batch_size": 8, "buffer_size": 40, "hidden": [8]},
}


def tiny(policy: str, **more: Any) -> Any:
    return policy_config(policy, TINY[policy] | more)


def run(policy: str, out: Path, steps: int = 48, **more: Any) -> rl.RLConfig:
    return rl.RLConfig(
        policy=policy, envs=(BOX,), out=out, steps=steps, parallel=1, checkpoint_every=16, **more
    )


def everything(folder: Path) -> tuple[dict[str, bytes], dict[str, Any], str]:
    tensors, about = checkpoint.load_tensors(folder / checkpoint.LAST)
    log = (folder / checkpoint.LOG).read_text()
    return {name: value.numpy().tobytes() for name, value in tensors.items()}, about, log


@pytest.mark.parametrize("agent", TINY)
def test_a_resumed_run_equals_an_uninterrupted_one(agent: str, tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    rl.train(run(agent, whole), tiny(agent))
    for steps in (16, 32, 48):  # buffers of SAC wrap around in the last part
        rl.train(run(agent, parts, steps), tiny(agent))
    assert everything(whole) == everything(parts)
    described = checkpoint.load_json(parts / checkpoint.CONFIG)
    assert described == checkpoint.load_json(whole / checkpoint.CONFIG)
    assert described["training"]["finished"] and described["training"]["steps"] == 48
    other = rl.train(replace(run(agent, tmp_path / "other"), seed=1), tiny(agent))
    assert everything(other)[0] != everything(whole)[0]
    assert not list(whole.rglob("*.zip")) and not list(whole.rglob("*.pkl"))


def test_a_trained_policy_can_be_evaluated(tmp_path: Path) -> None:
    out = rl.train(run("sac", tmp_path / "sac", 16), tiny("sac"))
    agent = LearnedPolicy.from_pretrained(out)
    state = np.linspace(-1, 1, agent.spec.observation["state"][0], dtype=np.float32)
    action = agent.act(state, "ignored")
    np.testing.assert_array_equal(action, agent.act(state, ""))
    low, high = np.float32(agent.spec.action_low), np.float32(agent.spec.action_high)
    assert action.shape == (6,) and (low <= action).all() and (action <= high).all()
    result = evaluate(out, seeds=TEST[:2], workers=1)
    assert result["policy"] == "sac" and [row["env"] for row in result["results"]] == [BOX]
    with pytest.raises(AgentsError, match="needs a state vector for"):
        evaluate(out, ["gensim/BuildWheel-v0"], seeds=TEST[:1], workers=1)


def test_the_mean_action_is_what_stable_baselines_predicts(tmp_path: Path) -> None:
    out = rl.train(run("ppo", tmp_path / "ppo", 16), tiny("ppo"))
    agent: Any = LearnedPolicy.from_pretrained(out)
    state = np.linspace(-1, 1, agent.spec.observation["state"][0], dtype=np.float32)
    with torch.no_grad():
        network = agent.policy
        mean = network.get_distribution(torch.from_numpy(state[None])).distribution.mean[0].numpy()
    low, high = np.float64(agent.spec.action_low), np.float64(agent.spec.action_high)
    expected = low + (np.clip(mean, -1, 1) + 1) / 2 * (high - low)
    np.testing.assert_allclose(agent.act(state, ""), expected, atol=1e-6)


def test_episodes_begin_with_training_seeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds: list[int] = []
    make = rl._make

    class Watched(gym.Wrapper[Any, Any, Any, Any]):
        def reset(self, *, seed: int | None = None, **more: Any) -> Any:
            if seed is not None:
                seeds.append(seed)
            return super().reset(seed=seed, **more)

    monkeypatch.setattr(rl, "_make", lambda envs, reward: Watched(make(envs, reward)))
    rl.train(run("ppo", tmp_path / "run"), tiny("ppo"))
    assert len(set(seeds)) == 3 and all(seed in TRAINING for seed in seeds)


def test_another_run_is_not_overwritten_unless_asked(tmp_path: Path) -> None:
    first = run("ppo", tmp_path / "run", 16)
    rl.train(first, tiny("ppo"))
    before = everything(first.out)
    for other, settings in (
        (replace(first, seed=1), tiny("ppo")),
        (replace(first, policy="sac"), tiny("sac")),
        (first, tiny("ppo", gamma=0.5)),
    ):
        with pytest.raises(AgentsError, match=r"holds another run.*--overwrite"):
            rl.train(other, settings)
    assert everything(first.out) == before
    rl.train(replace(first, seed=1, overwrite=True), tiny("ppo"))
    assert everything(first.out) != before


def test_files_of_another_program_are_not_deleted_unless_asked(tmp_path: Path) -> None:
    first = run("ppo", tmp_path, 16)
    (tmp_path / "tensorboard").mkdir()
    theirs = tmp_path / "tensorboard" / "theirs"
    theirs.touch()
    with pytest.raises(AgentsError, match=r"holds another run: it has tensorboard.*--overwrite"):
        rl.train(first, tiny("ppo"))
    assert theirs.exists()
    rl.train(replace(first, overwrite=True), tiny("ppo"))
    assert not theirs.exists()


def test_a_run_killed_before_its_first_checkpoint_restarts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(rl._Training, "_save", killed)
        with pytest.raises(Stopped, match=r"the same command resumes.*unless it has --overwrite"):
            rl.train(run("ppo", tmp_path / "two", 16), tiny("ppo"))
    for name in ("one", "two"):
        rl.train(run("ppo", tmp_path / name, 16), tiny("ppo"))
    assert everything(tmp_path / "one") == everything(tmp_path / "two")


@pytest.mark.parametrize(
    "change, settings, message",
    [
        ({"envs": ("gensim/Nothing-v0",)}, {}, "cannot be made"),
        ({"envs": ()}, {}, "give tasks with --env"),
        ({"steps": 0}, {}, "steps is 0"),
        ({"parallel": 0}, {}, "parallel is 0"),
        ({"parallel": 1}, {"n_steps": 1}, "ppo: "),
        ({}, {"batch_size": 1}, "batch_size: expected a number from 2"),
        ({}, {"layers": 3}, "'layers' is unknown"),
    ],
)
def test_bad_options_are_refused(
    change: dict[str, Any], settings: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(AgentsError, match=message):
        rl.train(replace(run("ppo", tmp_path / "run"), **change), policy_config("ppo", settings))


def test_weights_that_are_not_finite_end_the_run(tmp_path: Path) -> None:
    settings = tiny("ppo", learning_rate=1e30)
    with pytest.raises(AgentsError, match=r"non-finite.*learning-rate"):
        rl.train(run("ppo", tmp_path / "run"), settings)
