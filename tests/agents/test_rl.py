"""PPO and SAC: a run that is broken off ends like one that is not, and its policy can be played."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from agents.errors import AgentsError, Stopped
from agents.evaluation.evaluate import evaluate
from agents.evaluation.rollout import Player
from agents.policies.base import load_agent
from agents.training import checkpoint, rl
from gensim_envs.seeds import TEST, TRAINING

BOX = "gensim/AlignBoxCorner-v0"
TINY: dict[str, dict[str, Any]] = {
    "ppo": {"rollout": 16, "batch_size": 16, "epochs": 2, "hidden": (8,)},
    "sac": {"learning_starts": 12, "batch_size": 8, "buffer_size": 40, "hidden": (8,)},
}


def run(agent: str, out: Path, steps: int = 48, **more: Any) -> rl.Run:
    return rl.Run(
        agent=agent, envs=(BOX,), out=out, steps=steps, parallel=1, checkpoint_every=16, **more
    )


def everything(folder: Path) -> tuple[dict[str, bytes], dict[str, Any], str]:
    tensors, about = checkpoint.load_tensors(folder / checkpoint.LAST)
    log = (folder / checkpoint.LOG).read_text()
    return {name: value.numpy().tobytes() for name, value in tensors.items()}, about, log


@pytest.mark.parametrize("agent", TINY)
def test_a_run_that_is_broken_off_ends_like_one_that_is_not(agent: str, tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    rl.train(run(agent, whole), TINY[agent])
    for steps in (16, 32, 48):  # buffers of SAC wrap around in the last part
        rl.train(run(agent, parts, steps), TINY[agent])
    assert everything(whole) == everything(parts)
    described = checkpoint.load_json(parts / checkpoint.AGENT)
    assert described == checkpoint.load_json(whole / checkpoint.AGENT)
    assert described["training"]["finished"] and described["training"]["steps"] == 48
    other = rl.train(replace(run(agent, tmp_path / "other"), seed=1), TINY[agent])
    assert everything(other)[0] != everything(whole)[0]
    assert not list(whole.rglob("*.zip")) and not list(whole.rglob("*.pkl"))


def test_a_policy_can_be_played(tmp_path: Path) -> None:
    out = rl.train(run("sac", tmp_path / "sac", 16), TINY["sac"])
    agent = load_agent(out, "sac")
    state = np.linspace(-1, 1, agent.about.observation["state"][0], dtype=np.float32)
    action = agent.act(state, "ignored")
    np.testing.assert_array_equal(action, agent.act(state, ""))
    low, high = np.float32(agent.about.action_low), np.float32(agent.about.action_high)
    assert action.shape == (6,) and (low <= action).all() and (action <= high).all()
    result = evaluate(Player(checkpoint=out), seeds=TEST[:2], workers=1)
    assert result["agent"] == "sac" and [row["env"] for row in result["rows"]] == [BOX]
    with pytest.raises(AgentsError, match="state vector of the checkpoint"):
        evaluate(Player(checkpoint=out), ["gensim/BuildWheel-v0"], seeds=TEST[:1], workers=1)


def test_the_mean_action_is_what_stable_baselines_predicts(tmp_path: Path) -> None:
    out = rl.train(run("ppo", tmp_path / "ppo", 16), TINY["ppo"])
    agent: Any = load_agent(out)
    state = np.linspace(-1, 1, agent.about.observation["state"][0], dtype=np.float32)
    with torch.no_grad():
        network = agent.learner.policy
        mean = network.get_distribution(torch.from_numpy(state[None])).distribution.mean[0].numpy()
    low, high = np.float64(agent.about.action_low), np.float64(agent.about.action_high)
    expected = low + (np.clip(mean, -1, 1) + 1) / 2 * (high - low)
    np.testing.assert_allclose(agent.act(state, ""), expected, atol=1e-6)


def test_episodes_begin_with_training_seeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stable_baselines3.common.vec_env import DummyVecEnv

    seeds: list[int | None] = []
    reset = DummyVecEnv.reset

    def watched(self: Any) -> Any:
        seeds.extend(self._seeds)
        return reset(self)

    monkeypatch.setattr(DummyVecEnv, "reset", watched)
    rl.train(run("ppo", tmp_path / "run"), TINY["ppo"])
    assert len(set(seeds)) == 3 and all(seed in TRAINING for seed in seeds)


def test_another_run_is_not_overwritten_unless_asked(tmp_path: Path) -> None:
    first = run("ppo", tmp_path / "run", 16)
    rl.train(first, TINY["ppo"])
    before = everything(first.out)
    for other, settings in (
        (replace(first, seed=1), TINY["ppo"]),
        (replace(first, agent="sac"), TINY["sac"]),
        (first, {**TINY["ppo"], "gamma": 0.5}),
    ):
        with pytest.raises(AgentsError, match=r"holds another run.*--overwrite"):
            rl.train(other, settings)
    assert everything(first.out) == before
    rl.train(replace(first, seed=1, overwrite=True), TINY["ppo"])
    assert everything(first.out) != before


def test_files_of_another_program_are_not_deleted_unless_asked(tmp_path: Path) -> None:
    first = run("ppo", tmp_path, 16)
    (tmp_path / "tensorboard").mkdir()
    theirs = tmp_path / "tensorboard" / "theirs"
    theirs.touch()
    with pytest.raises(AgentsError, match=r"holds another run: it has tensorboard.*--overwrite"):
        rl.train(first, TINY["ppo"])
    assert theirs.exists()
    rl.train(replace(first, overwrite=True), TINY["ppo"])
    assert not theirs.exists()


def test_a_run_that_ends_before_its_first_checkpoint_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(rl._Training, "_save", killed)
        with pytest.raises(Stopped, match="the same command goes on"):
            rl.train(run("ppo", tmp_path / "two", 16), TINY["ppo"])
    for name in ("one", "two"):
        rl.train(run("ppo", tmp_path / name, 16), TINY["ppo"])
    assert everything(tmp_path / "one") == everything(tmp_path / "two")


@pytest.mark.parametrize(
    "change, settings, message",
    [
        ({"envs": ("gensim/Nothing-v0",)}, {}, "cannot be made"),
        ({"envs": ()}, {}, "name tasks with --env"),
        ({"steps": 0}, {}, "steps is 0"),
        ({"parallel": 0}, {}, "parallel is 0"),
        ({}, {"batch_size": 1, "rollout": 1}, "ppo: "),
        ({}, {"layers": 3}, "no option 'layers'"),
    ],
)
def test_bad_options_are_refused(
    change: dict[str, Any], settings: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(AgentsError, match=message):
        rl.train(replace(run("ppo", tmp_path / "run"), **change), settings)


def test_numbers_that_are_not_finite_end_the_run(tmp_path: Path) -> None:
    settings = {**TINY["ppo"], "learning_rate": 1e30}
    with pytest.raises(AgentsError, match=r"not finite.*learning_rate"):
        rl.train(run("ppo", tmp_path / "run"), settings)
