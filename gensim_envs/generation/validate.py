"""Certify a task on fixed seeds: the oracle, a no-op policy, random actions, blind play, sight."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from gensim_envs.envs.rollout import Episode, rollout
from gensim_envs.envs.tabletop import TabletopEnv
from gensim_envs.errors import BlindPlayError, OracleError, TaskError
from gensim_envs.generation import blind, sight
from gensim_envs.generation.check import refusing
from gensim_envs.oracle import Oracle
from gensim_envs.sandbox.program import Program
from gensim_envs.seeds import BLIND, CERTIFICATE
from gensim_envs.utils.processes import in_order

NEEDED = 18
"""Certificate seeds of 20 on which the oracle must succeed."""
MOST_RANDOM = 0.05
"""Success rate of the random policy at which a task is refused."""
MOST_BLIND = 0.3
"""Success rate of blind play above which a task that needs reading is refused."""

EPISODES = 4 * len(CERTIFICATE) + len(BLIND)
"""Episodes of a certificate."""

Policy = Literal["oracle", "noop", "random"]
POLICIES: tuple[Policy, ...] = get_args(Policy)
Tick = Callable[[], object]


@dataclass(frozen=True)
class Certificate:
    """Results of the policies on the certificate seeds; success counts are out of 20.

    Attributes:
        oracle: successes of the oracle.
        steps: mean number of actions in the oracle's successful episodes.
        noop: largest return of a policy that places where it picks.
        random: successes of a policy that samples actions uniformly.
        redraws: share of draws that had to be repeated.
        blind: success rate of blind play in as many actions as the oracle takes, over 100 episodes.
        blind_late: success rate of blind play within the step limit.
        reading: whether the scene allows several arrangements of which the task accepts only some.
        pixels: pixels of the smallest thing or place of a goal in the view from above.
        contrast: smallest CIE76 difference between an item and its place.
    """

    oracle: int
    steps: float
    noop: float
    random: int
    redraws: float
    blind: float
    blind_late: float
    reading: bool
    pixels: int
    contrast: float


def max_steps(bounds: Mapping[str, int]) -> int:
    """Registered episode length: twice what a demonstrator needs, plus two."""
    return 2 * bounds["steps"] + 2


@dataclass(frozen=True)
class Run:
    """An episode of a certificate.

    Attributes:
        episode: its result; a failure where the oracle raised an error.
        problem: the oracle's error, or "".
        sights: what could be seen of each goal when it became current; empty unless the oracle
            acted.
    """

    episode: Episode
    problem: str
    sights: list[sight.Sight]


def run_episode(
    program: Program, bounds: Mapping[str, int], policy: Policy, split: str, seed: int
) -> Run:
    """Run one episode.

    Args:
        program: the task's program.
        bounds: bounds in the task's record.
        policy: the policy that acts.
        split: "train" or "test".
        seed: seed of `reset` and of the random actions.
    """
    mode = "rgbd" if policy == "oracle" else "state"  # in state nothing is visible
    env = TabletopEnv(program, bounds, split=split, obs_mode=mode)  # type: ignore[arg-type]
    oracle, looker = Oracle(env), sight.Looker()

    def act(observation: Any, info: Mapping[str, Any]) -> np.ndarray[Any, Any]:
        if policy == "oracle":
            looker.look(env)
            return oracle.act()
        action = env.action_space.sample()
        if policy == "noop":
            action[3:] = action[:3]
        return action

    with contextlib.closing(env):
        env.action_space.seed(seed)
        try:
            episode = rollout(env, act, seed=seed, max_steps=max_steps(bounds))
        except OracleError as error:
            return Run(Episode(False, 0.0, 0), str(error), looker.found)
    return Run(episode, "", looker.found)


@refusing("oracle")
def certify(
    program: Program,
    bounds: Mapping[str, int],
    redraws: float,
    executor: Executor,
    tick: Tick = lambda: None,
) -> Certificate:
    """Run the three policies on the certificate seeds, play blindly, and look at what they see.

    Args:
        program: the task's program.
        bounds: bounds in the task's record.
        redraws: share of redraws in the survey.
        executor: runs the episodes; the result does not depend on its number of workers.
        tick: called after each episode.

    Raises:
        TaskError: with cause "oracle", if the task is refused.
    """
    jobs = [(policy, "train", seed) for policy in POLICIES for seed in CERTIFICATE]
    jobs += [("oracle", "test", seed) for seed in CERTIFICATE]
    runs: dict[tuple[Policy, str], list[Run]] = {job[:2]: [] for job in jobs}
    running = in_order(executor, run_episode, [(program, dict(bounds), *job) for job in jobs])
    with contextlib.closing(running):
        for (policy, split, _), run in zip(jobs, running, strict=True):
            runs[policy, split].append(run)
            _check_oracle(runs["oracle", "train"])  # a refused task is not played to the end
            tick()
    seen = [run.sights for some in runs.values() for run in some]
    starts = [(program, dict(bounds), split) for split in ("train", "test")]
    seen += in_order(executor, sight.look_at_starts, starts)
    view = sight.together([each for some in seen for each in some])
    steps = [run.episode.steps for run in runs["oracle", "train"] if run.episode.success]
    attempts = _play_blindly(program, bounds, executor, tick)
    certificate = Certificate(
        oracle=len(steps),
        steps=round(float(np.mean(steps)), 2) if steps else 0.0,
        noop=max(round(run.episode.episode_return, 6) for run in runs["noop", "train"]),
        random=sum(run.episode.success for run in runs["random", "train"]),
        redraws=redraws,
        blind=sum(attempt.solved for attempt in attempts) / len(attempts),
        blind_late=sum(attempt.solved_late for attempt in attempts) / len(attempts),
        reading=any(attempt.choice and attempt.rejected for attempt in attempts),
        pixels=view.pixels,
        contrast=view.contrast,
    )
    _check_others(certificate)
    _check_blind(certificate)
    sight.check(view)
    return certificate


def _play_blindly(
    program: Program, bounds: Mapping[str, int], executor: Executor, tick: Tick
) -> list[blind.Attempt]:
    jobs = [(program, dict(bounds), max_steps(bounds), seed) for seed in BLIND]
    attempts = []
    for attempt in in_order(executor, blind.play, jobs):
        attempts.append(attempt)
        tick()
    return attempts


def _check_oracle(runs: Sequence[Run]) -> None:
    failed = [k for k, run in enumerate(runs) if not run.episode.success]
    if len(CERTIFICATE) - len(failed) < NEEDED:
        last = runs[failed[-1]]
        why = last.problem or (
            f"only {last.episode.episode_return:.2f} of the reward after {last.episode.steps} "
            "actions"
        )
        raise TaskError(
            f"the oracle fails on {len(failed)} of the first {len(runs)} seeds, and must solve "
            f"{NEEDED} of {len(CERTIFICATE)}; on seed {CERTIFICATE[failed[-1]]}: {why}",
            "Check that every place can be reached and holds what is put there",
            cause="oracle",
        )


def _check_others(certificate: Certificate) -> None:
    count = len(CERTIFICATE)
    if certificate.noop > 0:
        problem = f"a no-op policy gets a return of {certificate.noop}"
        raise TaskError(
            problem, "Make sure that no goal is met, even in part, at the start", cause="oracle"
        )
    if certificate.random >= MOST_RANDOM * count:
        problem = f"random actions solve {certificate.random} of {count} seeds"
        raise TaskError(
            problem, "Make the task harder: use more items or a smaller target", cause="oracle"
        )


def _check_blind(certificate: Certificate) -> None:
    if certificate.reading and certificate.blind > MOST_BLIND:
        raise BlindPlayError(
            f"it can be solved without reading: one random arrangement of its things solves "
            f"{certificate.blind:.0%} of {len(BLIND)} episodes, more than {MOST_BLIND:.0%}",
            "Add distractors with scene.distract, pass only=True, or state a rule such as an order",
            cause="oracle",
        )
