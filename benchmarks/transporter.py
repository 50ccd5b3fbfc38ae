"""Compare our transporter with the published one: speed of training and acting, and success.

Both use the same demonstrations on the same machine in the same run. A training step prepares its
samples, then runs the forward and backward passes and the optimizer, in sequence; training itself
is faster, since it prepares the next batch meanwhile. The published network uses batches of one
sample and Adam, ours the defaults of `python -m agents train`. Success is measured with `--minutes`
only.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from numpy.typing import NDArray

from agents.data.demonstrations import Demonstrations
from agents.evaluation.playing import outcome
from agents.policies.base import Policy
from agents.policies.learned import LearnedPolicy, make_policy, policy_class, policy_config
from agents.training.collect import collect
from agents.training.config import TrainConfig
from agents.training.distributed import supports_bf16
from agents.training.inputs import instruction_tokens, make_spec
from agents.training.loop import train
from benchmarks.plain_transporter import (
    PlainConfig,
    PlainTransporter,
    median_seconds,
    time_correlations,
)
from gensim_envs.seeds import TEST

Rows = Iterator[tuple[str, ...]]
REPEATS = {"ours": 10, "plain": 3}  # of a training step; the first ones warm up
ACTS = 10
CPU = torch.device("cpu")


@dataclass
class Contender:
    """A network with all that a training step needs."""

    policy: LearnedPolicy
    optimizer: torch.optim.Optimizer
    batch_size: int
    bf16: bool
    demos: Demonstrations
    tokens: Mapping[str, NDArray[Any]]

    def step(self, rng: np.random.Generator) -> None:
        """Train on one batch."""
        samples = [self.demos[int(k)] for k in rng.integers(len(self.demos), size=self.batch_size)]
        tokens = [self.tokens[sample.instruction] for sample in samples]
        batch = self.policy.prepare(samples, tokens, rng)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            loss, _ = self.policy(batch)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()

    def samples_per_second(self, repeats: int) -> float:
        """Median over training steps, which change the weights."""
        rng = np.random.default_rng(0)
        self.policy.train()
        return self.batch_size / median_seconds(lambda: self.step(rng), repeats)

    def seconds_to_act(self) -> float:
        """Median over predictions."""
        sample = self.demos[0]
        observation: dict[str, Any] = {"color": sample.color, "height": sample.height}
        seen = observation, self.tokens[sample.instruction], sample.instruction
        self.policy.eval()
        return median_seconds(lambda: self.policy.select_action(*seen), ACTS)


def run(env: str, demos: int, episodes: int, minutes: float | None) -> Rows:
    """Rows of the table, one for each measurement; columns are networks and precisions."""
    precisions = ["fp32", *(["bf16"] if supports_bf16(CPU) else [])]
    yield ("", *(f"{network}, {each}" for network in ("ours", "plain") for each in precisions))
    blank = [""] * len(precisions)
    fastest: dict[str, str] = {}
    timed = [t for t in time_correlations() if t[1] in precisions]
    for method in dict.fromkeys(name for name, _, _ in timed):
        seconds = {precision: s for name, precision, s in timed if name == method}
        yield (f"correlating by {method}, forward and backward, ms", *blank,
               *(f"{1e3 * seconds[p]:.0f}" for p in precisions))  # fmt: skip
    for precision in precisions:
        fastest[precision] = min((s, name) for name, p, s in timed if p == precision)[1]
    yield ("correlates by", *blank, *fastest.values())

    with tempfile.TemporaryDirectory() as folder:
        known = collect([env], demos, Path(folder))
    ours = [our(known, bf16=p == "bf16") for p in precisions]
    plains = [plain(known, fastest[p], bf16=p == "bf16") for p in precisions]
    mine = [each.samples_per_second(REPEATS["ours"]) for each in ours]
    theirs = [each.samples_per_second(REPEATS["plain"]) for each in plains]
    yield ("parameters, millions", *(f"{_size(each):.1f}" for each in (*ours, *plains)))
    yield ("samples a second in training", *(f"{each:.2f}" for each in (*mine, *theirs)))
    ratios = (own / other for own, other in zip(mine, theirs, strict=True))
    yield ("ours, times", *blank, *(f"{each:.1f}" for each in ratios))
    # Layers compute in bfloat16 in training only.
    acts = [f"{1e3 * each.seconds_to_act():.0f}" for each in (ours[0], plains[0])]
    yield ("act, median ms", acts[0], *blank[1:], acts[1], *blank[1:])
    if minutes is not None:
        # `train` uses bfloat16 where the hardware supports it.
        steps = max(1, round(60 * minutes * mine[-1] / ours[-1].batch_size))
        best = theirs.index(max(theirs))
        other = plain(known, fastest[precisions[best]], bf16=precisions[best] == "bf16")
        for name, won, lost in _trained(env, known, steps, other, episodes):
            columns = [*blank, *blank]
            columns[len(precisions) - 1], columns[len(precisions) + best] = won, lost
            yield (name, *columns)


def _trained(
    env: str, demos: Demonstrations, steps: int, theirs: Contender, episodes: int
) -> Iterator[tuple[str, str, str]]:
    """Success after training, of ours and of the plain one in the same time."""
    with tempfile.TemporaryDirectory() as folder:
        config = replace(_config(demos), out=Path(folder) / "ours", steps=steps, validate_every=0)
        began = time.perf_counter()
        train(config, demos)
        seconds = time.perf_counter() - began
        won = solved(env, LearnedPolicy.from_pretrained(config.out), episodes)
    learned_from = train_for(theirs, seconds)
    theirs_won = solved(env, theirs.policy.eval(), episodes)
    yield "minutes of training", f"{seconds / 60:.1f}", f"{seconds / 60:.1f}"
    yield "samples in training", str(steps * config.batch_size), str(learned_from)
    yield f"solved, {env}", f"{won}/{episodes}", f"{theirs_won}/{episodes}"


def train_for(contender: Contender, seconds: float) -> int:
    """Train until the time is up; returns the number of samples."""
    rng, steps, end = np.random.default_rng(0), 0, time.perf_counter() + seconds
    contender.policy.train()
    while time.perf_counter() < end:
        contender.step(rng)
        steps += 1
    return steps * contender.batch_size


def solved(id: str, policy: Policy, episodes: int) -> int:
    """The number of solved episodes on the first test seeds."""
    env = gym.make(id, obs_mode="rgbd")
    won = sum(outcome(env, policy, seed).success for seed in TEST[:episodes])
    env.close()
    return won


def our(demos: Demonstrations, *, bf16: bool) -> Contender:
    """Untrained, with the optimizer and batches of `python -m agents train`."""
    config = _config(demos)
    tokens, width, fingerprint = instruction_tokens(config, demos)
    torch.manual_seed(0)
    spec = make_spec(config, demos, width, fingerprint)
    policy = make_policy(spec, policy_config("transporter", {}))
    policy.fit_statistics(demos)
    optimizer = torch.optim.AdamW(
        policy.parameters(), config.learning_rate, weight_decay=config.weight_decay
    )
    return Contender(policy, optimizer, config.batch_size, bf16, demos, tokens)


def _config(demos: Demonstrations) -> TrainConfig:
    """That of `python -m agents train --policy transporter`."""
    given = {"envs": tuple(demos.envs), "demos": demos.episodes, "out": Path("unused")}
    return TrainConfig(**{**policy_class("transporter").train_defaults, **given})


def plain(demos: Demonstrations, correlation: str, *, bf16: bool) -> Contender:
    """Untrained, with Adam and one sample in a batch."""
    config = _config(demos)
    spec = replace(make_spec(config, demos, 0, ()), policy="plain", encoder=None)
    torch.manual_seed(0)
    policy = PlainTransporter(PlainConfig(correlation=correlation), spec)
    optimizer = torch.optim.Adam(policy.parameters(), policy.config.learning_rate)
    tokens = dict.fromkeys(demos.instructions(), np.zeros((0, 0), np.float32))
    return Contender(policy, optimizer, 1, bf16, demos, tokens)


def _size(contender: Contender) -> float:
    return sum(p.numel() for p in contender.policy.parameters()) / 1e6
