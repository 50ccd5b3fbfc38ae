"""Our transporter against the published one: how fast each learns, acts, and gets good.

Both see the same demonstrations on the same machine in the same run. A training step draws and
prepares its samples, then goes forward, backward and through the optimizer, one after the other;
`agents.training` is faster than that, since it prepares the next batch meanwhile. The published
network has batches of one sample and Adam, ours the defaults of `python -m agents train`. Without
`--minutes` there is no row of success.
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

from agents.data.collect import collect
from agents.data.demonstrations import Demonstrations
from agents.evaluation.rollout import outcome
from agents.policies.base import LearnedAgent, Learner, learner_class, load_agent, make_learner
from agents.training import runs
from agents.training.distributed import bf16_is_native
from agents.training.loop import Config, train
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

    learner: Learner
    optimizer: torch.optim.Optimizer
    batch_size: int
    bf16: bool
    demos: Demonstrations
    tokens: Mapping[str, NDArray[Any]]

    def step(self, rng: np.random.Generator) -> None:
        """Train on one batch."""
        samples = [self.demos[int(k)] for k in rng.integers(len(self.demos), size=self.batch_size)]
        tokens = [self.tokens[sample.instruction] for sample in samples]
        batch = self.learner.prepare(samples, tokens, rng, train=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            loss, _ = self.learner.loss(batch)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()

    def samples_per_second(self, repeats: int) -> float:
        """Median over training steps; the weights are not those it had before."""
        rng = np.random.default_rng(0)
        self.learner.train()
        return self.batch_size / median_seconds(lambda: self.step(rng), repeats)

    def seconds_to_act(self) -> float:
        """Median over predictions."""
        sample = self.demos[0]
        seen: dict[str, Any] = {"color": sample.color, "height": sample.height}
        tokens = self.tokens[sample.instruction]
        self.learner.eval()
        return median_seconds(lambda: self.learner.predict(seen, tokens), ACTS)


def run(env: str, demos: int, episodes: int, minutes: float | None) -> Rows:
    """Rows of the table: one for each measurement, a column for each network and precision."""
    precisions = ["fp32", *(["bf16"] if bf16_is_native(CPU) else [])]
    yield ("", "ours", *(f"plain, {precision}" for precision in precisions))
    fastest: dict[str, str] = {}
    timed = [t for t in time_correlations() if t[1] in precisions]
    for method in dict.fromkeys(name for name, _, _ in timed):
        seconds = {precision: s for name, precision, s in timed if name == method}
        yield (f"correlating by {method}, forward and backward, ms", "",
               *(f"{1e3 * seconds[p]:.0f}" for p in precisions))  # fmt: skip
    for precision in precisions:
        fastest[precision] = min((s, name) for name, p, s in timed if p == precision)[1]
    yield ("correlates by", "", *fastest.values())

    known = collect([env], demos)
    ours = our(known)
    plains = [plain(known, fastest[p], bf16=p == "bf16") for p in precisions]
    speed = ours.samples_per_second(REPEATS["ours"])
    speeds = [each.samples_per_second(REPEATS["plain"]) for each in plains]
    yield ("parameters, millions", *(f"{_size(each):.1f}" for each in (ours, *plains)))
    yield ("samples a second in training", f"{speed:.2f}", *(f"{each:.2f}" for each in speeds))
    yield ("ours, times", "", *(f"{speed / each:.1f}" for each in speeds))
    acts = [each.seconds_to_act() for each in (ours, *plains)]
    yield ("act, median ms", *(f"{1e3 * each:.0f}" for each in acts))
    if minutes is not None:
        steps = max(1, round(60 * minutes * speed / ours.batch_size))
        best = speeds.index(max(speeds))
        theirs = plain(known, fastest[precisions[best]], bf16=precisions[best] == "bf16")
        for name, mine, other in _trained(env, known, steps, theirs, episodes):
            yield (name, mine, *(other if k == best else "" for k in range(len(plains))))


def _trained(
    env: str, demos: Demonstrations, steps: int, theirs: Contender, episodes: int
) -> Iterator[tuple[str, str, str]]:
    """What training came to, of ours and of the plain one in the time that ours took."""
    with tempfile.TemporaryDirectory() as folder:
        config = replace(_config(demos), out=Path(folder) / "ours", steps=steps, validate_every=0)
        began = time.perf_counter()
        train(config, demos)
        seconds = time.perf_counter() - began
        won = solved(env, load_agent(config.out), episodes)
    learned_from = train_for(theirs, seconds)
    theirs_won = solved(env, LearnedAgent(theirs.learner.eval()), episodes)
    yield "minutes of training", f"{seconds / 60:.1f}", f"{seconds / 60:.1f}"
    yield "samples in training", str(steps * config.batch_size), str(learned_from)
    yield f"solved, {env}", f"{won}/{episodes}", f"{theirs_won}/{episodes}"


def train_for(contender: Contender, seconds: float) -> int:
    """Train until the time is up; returns how many samples that took."""
    rng, steps, end = np.random.default_rng(0), 0, time.perf_counter() + seconds
    contender.learner.train()
    while time.perf_counter() < end:
        contender.step(rng)
        steps += 1
    return steps * contender.batch_size


def solved(id: str, agent: LearnedAgent, episodes: int) -> int:
    """How many episodes the agent solves, of those on the first test seeds."""
    env = gym.make(id, obs_mode="rgbd")
    won = sum(outcome(env, agent, seed).success for seed in TEST[:episodes])
    env.close()
    return won


def our(demos: Demonstrations) -> Contender:
    """Fresh, with the optimizer and the batches of `python -m agents train`."""
    config = _config(demos)
    tokens, width, fingerprint = runs.tokens_of(config, demos)
    torch.manual_seed(0)
    learner = make_learner(runs.about(config, demos, width, fingerprint), {})
    learner.measure(demos)
    optimizer = torch.optim.AdamW(
        learner.optimizer_groups(), config.learning_rate, weight_decay=config.weight_decay
    )
    return Contender(learner, optimizer, config.batch_size, bf16_is_native(CPU), demos, tokens)


def _config(demos: Demonstrations) -> Config:
    """That of `python -m agents train --agent transporter`."""
    given = {"envs": tuple(demos.envs), "demos": demos.episodes, "out": Path("unused")}
    return Config(**{**learner_class("transporter").run, **given})


def plain(demos: Demonstrations, correlation: str, *, bf16: bool) -> Contender:
    """Fresh, with Adam and one sample in a batch."""
    config = _config(demos)
    about = replace(runs.about(config, demos, 0, ()), agent="plain", encoder=None)
    torch.manual_seed(0)
    learner = PlainTransporter(PlainConfig(correlation=correlation), about)
    optimizer = torch.optim.Adam(learner.optimizer_groups())
    tokens = dict.fromkeys(demos.instructions(), np.zeros((0, 0), np.float32))
    return Contender(learner, optimizer, 1, bf16, demos, tokens)


def _size(contender: Contender) -> float:
    return sum(p.numel() for p in contender.learner.parameters()) / 1e6
