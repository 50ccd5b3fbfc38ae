"""Small artificial demonstrations, on which policies train in a moment."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from agents.data import tokens
from agents.data.demonstrations import Demonstrations, Sample
from agents.data.episodes import PackedEpisode

LOW = np.array([0.25, -0.5, -np.pi] * 2, np.float32)
HIGH = np.array([0.75, 0.5, np.pi] * 2, np.float32)
TOKENS = {"red": np.eye(8, dtype=np.float16)[:2], "blue": np.eye(8, dtype=np.float16)[4:7]}
"""Tokens of two instructions from a language model of width 8."""


def add(demos: Demonstrations, env: str, seed: int, steps: Sequence[Sample]) -> None:
    """Add an episode of these steps."""
    observations = (
        step.state if demos.obs_mode == "state" else (step.color, step.height) for step in steps
    )
    instructions = [step.instruction for step in steps]
    actions = [step.action for step in steps]
    demos.add(PackedEpisode.of(demos.obs_mode, env, seed, instructions, actions, observations))


def states(episodes: int = 20, width: int = 12, envs: Sequence[str] = ("a", "b")) -> Demonstrations:
    """Vectors whose first six numbers are the action, scaled."""
    rng = np.random.default_rng(0)
    demos = Demonstrations("state", LOW, HIGH)
    for number in range(episodes * len(envs)):
        env = envs[number % len(envs)]
        steps = [_state(rng.uniform(-1, 1, width)) for _ in range(2)]
        add(demos, env, 100_000 + number, steps)
    return demos


def _state(state: Any) -> Sample:
    action = (LOW + HIGH) / 2 + state[:6] * (HIGH - LOW) / 2 * 0.9
    return Sample("go", np.float32(action), state=np.float32(state))


def images(actions: Sequence[tuple[str, Sequence[float]]], env: str = "a") -> Demonstrations:
    """The same image in each step, with pairs of instruction and action."""
    rng = np.random.default_rng(0)
    color = rng.integers(0, 255, (160, 320, 3), np.uint8)
    height = rng.integers(0, 100, (160, 320)).astype(np.float32) * np.float32(1e-3)
    demos = Demonstrations("rgbd", LOW, HIGH)
    for number, (instruction, action) in enumerate(actions):
        step = Sample(instruction, np.float32(action), color=color, height=height)
        add(demos, env, 100_000 + number, [step])
    demos.tokens["minilm"] = dict(TOKENS)
    return demos


def save(demonstrations: Demonstrations, root: Path) -> Path:
    """Write a Minari dataset for each env, laid out plainly as another program might.

    Returns:
        `root`.
    """
    for env in demonstrations.envs:
        folder = root / env.replace(":", "/") / "oracle-v0"
        (folder / "data").mkdir(parents=True)
        low, high = demonstrations.action_low.tolist(), demonstrations.action_high.tolist()
        metadata = {
            "dataset_id": f"{env}/oracle-v0",
            "action_space": json.dumps({"type": "Box", "low": low, "high": high}),
            "env_spec": json.dumps({"id": env}),
            "state_bounds": demonstrations.state_bounds,
        }
        (folder / "data" / "metadata.json").write_text(json.dumps(metadata))
        with h5py.File(folder / "data" / "main_data.hdf5", "w") as file:
            episodes = [each for each in demonstrations._episodes if each.env == env]
            for index, episode in enumerate(episodes):
                steps = [episode.sample(step) for step in range(len(episode.actions))]
                _put(file.create_group(f"episode_{index}"), episode.seed, steps)
        for encoder, known in demonstrations.tokens.items():
            tokens.save(folder, encoder, known)
    return root


def _put(group: h5py.Group, seed: int, steps: Sequence[Sample]) -> None:
    group.attrs["seed"] = seed
    group["actions"] = np.stack([step.action for step in steps])
    group["infos/instruction"] = [step.instruction for step in [*steps, steps[-1]]]
    for name in ("color", "height", "state"):
        values = [getattr(step, name) for step in [*steps, steps[-1]]]
        if values[0] is not None:
            group["observations" if name == "state" else f"observations/{name}"] = np.stack(values)
