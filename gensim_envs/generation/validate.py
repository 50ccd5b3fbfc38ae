"""Second stage: what the oracle, a do-nothing and a random policy earn, over fixed seeds."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeVar

import numpy as np

from gensim_envs.envs.tabletop import TabletopEnv
from gensim_envs.errors import TaskError
from gensim_envs.oracle import Oracle, OracleError
from gensim_envs.sandbox.program import Program
from gensim_envs.seeds import CERTIFICATE
from gensim_envs.utils.processes import in_order, processes

NEEDED = 18
"""Certificate seeds of 20 on which the oracle must succeed."""
MOST_RANDOM = 0.05
"""Share of successes from which a random policy shows that a task is too easy."""

Policy = Literal["oracle", "noop", "random"]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Episode:
    """How one episode went.

    Attributes:
        success: whether the task was solved.
        earned: the return.
        steps: actions taken.
        problem: why the oracle gave up, if it did.
    """

    success: bool
    earned: float
    steps: int
    problem: str = ""


@dataclass(frozen=True)
class Certificate:
    """What policies earn on the certificate seeds; success counts are out of 20.

    Attributes:
        oracle: successes of the oracle.
        steps: mean number of actions of the oracle's successes.
        noop: largest return of a policy that picks where it places.
        random: successes of a policy that draws actions uniformly.
        redraws: share of draws that had to be redrawn.
    """

    oracle: int
    steps: float
    noop: float
    random: int
    redraws: float

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def max_steps(bounds: Mapping[str, int]) -> int:
    """Registered length of an episode: twice what a demonstrator needs, and two to spare."""
    return 2 * bounds["steps"] + 2


def run_episode(program: Program, bounds: Mapping[str, int], policy: Policy, seed: int) -> Episode:
    """One episode without pictures.

    Args:
        program: where the task comes from.
        bounds: of its record.
        policy: who acts.
        seed: of `reset`; it also seeds the random policy.
    """
    env = TabletopEnv(program, bounds, obs_mode="state")
    try:
        env.reset(seed=seed)
        env.action_space.seed(seed)
        oracle, earned, problem = Oracle(env), 0.0, ""
        success, steps = False, 0
        while not success and steps < max_steps(bounds):
            try:
                action = _act(env, oracle, policy)
            except OracleError as error:
                problem = str(error)
                break
            _, reward, success, _, _ = env.step(action)
            earned += reward
            steps += 1
        return Episode(success, earned, steps, problem)
    finally:
        env.close()


def _act(env: TabletopEnv, oracle: Oracle, policy: Policy) -> np.ndarray[Any, Any]:
    if policy == "oracle":
        return oracle.act()
    action = env.action_space.sample()
    if policy == "noop":
        action[3:] = action[:3]
    return action


def certify(
    program: Program,
    bounds: Mapping[str, int],
    redraws: float,
    *,
    workers: int | None = None,
    executor: Executor | None = None,
    tick: Callable[[str], None] = lambda line: None,
) -> Certificate:
    """Run the three policies on the certificate seeds, over processes.

    Args:
        program: where the task comes from.
        bounds: of its record.
        redraws: share of redraws in the survey.
        workers: processes; all cores if not said. The result does not depend on it.
        executor: whose processes to use instead of new ones.
        tick: called with a line after each episode.

    Raises:
        TaskError: why the task is refused, with cause "oracle".
    """
    jobs: list[tuple[Policy, int]] = [
        (policy, seed) for policy in ("oracle", "noop", "random") for seed in CERTIFICATE
    ]
    results: dict[Policy, list[Episode]] = {"oracle": [], "noop": [], "random": []}
    tasks = [(program, dict(bounds), *job) for job in jobs]
    running = (
        in_order(executor, run_episode, tasks)
        if executor
        else over_processes(run_episode, tasks, workers)
    )
    with contextlib.closing(running) as episodes:
        for (policy, seed), episode in zip(jobs, episodes, strict=True):
            results[policy].append(episode)
            _judge_oracle(results["oracle"])  # what it fails is not measured to the end
            tick(f"{policy} on seed {seed}: {'solved' if episode.success else 'not solved'}")
    solved = [episode.steps for episode in results["oracle"] if episode.success]
    certificate = Certificate(
        oracle=len(solved),
        steps=round(float(np.mean(solved)), 2) if solved else 0.0,
        noop=max(round(episode.earned, 6) for episode in results["noop"]),
        random=sum(episode.success for episode in results["random"]),
        redraws=redraws,
    )
    _judge_others(certificate)
    return certificate


def _judge_oracle(oracle: list[Episode]) -> None:
    failed = [k for k, episode in enumerate(oracle) if not episode.success]
    if len(CERTIFICATE) - len(failed) < NEEDED:
        last = oracle[failed[-1]]
        why = last.problem or f"only {last.earned:.2f} of the reward after {last.steps} actions"
        raise TaskError(
            f"the oracle fails on {len(failed)} of the first {len(oracle)} seeds, and must solve "
            f"{NEEDED} of {len(CERTIFICATE)}; on seed {CERTIFICATE[failed[-1]]}: {why}",
            "Check that every place can be reached and holds what is put there",
            cause="oracle",
        )


def _judge_others(certificate: Certificate) -> None:
    count = len(CERTIFICATE)
    if certificate.noop > 0:
        raise TaskError(
            f"doing nothing earns {certificate.noop}", "Start farther from the goal",
            cause="oracle",
        )  # fmt: skip
    if certificate.random >= MOST_RANDOM * count:
        raise TaskError(
            f"random actions solve {certificate.random} of {count} seeds",
            "Ask for more: more items, a smaller target",
            cause="oracle",
        )


def over_processes(
    act: Callable[..., Result], jobs: Iterable[tuple[Any, ...]], workers: int | None
) -> Generator[Result, None, None]:
    """What `act(*job)` returns for each job, in their order, over processes.

    Close it where it may be left early, by Ctrl-C too: the processes are then ended at once.
    """
    with processes(workers) as executor:
        yield from in_order(executor, act, jobs)
