"""`python -m agents benchmark`: train and evaluate the experiments of a suite.

    DIR/suite.json               name, version and number of episodes of the suite
    DIR/demos/                   demonstrations, recorded once and shared by experiments
    DIR/experiments/NAME/        experiment.json, once it is finished; run/, its checkpoint; its
                                 log and evaluations
    DIR/results.json, results.md, *.png

Experiments are processes with as many threads as the suite says, so that results do not depend on
how many run at once. An interrupted benchmark resumes when the same command is given.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import arg

from agents.benchmark import jobs, plots, suites, tables
from agents.benchmark.experiments import (
    EXPERIMENT,
    LOG,
    RecordDemos,
    RunExperiment,
    demonstrations_of,
)
from agents.benchmark.suites import SUITES, Experiment, Suite
from agents.errors import AgentsError
from agents.evaluation.command import check_episodes
from agents.training import checkpoint
from gensim_envs.utils import files
from gensim_envs.utils.processes import cores
from gensim_envs.utils.progress import Progress

RESULTS = "results.json"


@dataclass(frozen=True, kw_only=True)
class BenchmarkConfig:
    """Options of `python -m agents benchmark`."""

    suite: str
    """Name of the suite."""
    suites: Path = SUITES
    """The file of suites."""
    out: Path
    """Folder of the results. The same command resumes an interrupted benchmark."""
    policy: tuple[str, ...] = ()
    """Run experiments with these policies only."""
    env: Annotated[tuple[str, ...], arg(metavar="ID ...")] = ()
    """Run experiments on these tasks only."""
    demos: tuple[int, ...] = ()
    """Run experiments with these numbers of demonstrations only, or without any."""
    pool: tuple[str, ...] = ()
    """Run experiments that train on these lists of tasks only, or on one task."""
    episodes: int | None = None
    """Episodes of each task and condition; by default those of the suite."""
    workers: int | None = None
    """Experiments at once; by default as many as cores allow."""

    def __post_init__(self) -> None:
        if self.episodes is not None:
            check_episodes(self.episodes)
        if self.workers is not None and self.workers < 1:
            raise AgentsError(f"workers is {self.workers}; expected 1 or more")


def run(config: BenchmarkConfig) -> int:
    """Train and evaluate the experiments of a suite, or resume.

    Exit code 0 if all are finished, 1 if some failed.
    """
    suite = suites.suite(config.suite, config.suites)
    experiments = selected(
        suite, policies=config.policy, envs=config.env, demos=config.demos, pools=config.pool
    )
    results = benchmark(
        suite, config.out, experiments=experiments, episodes=config.episodes,
        workers=config.workers,
    )  # fmt: skip
    print(f"wrote {config.out / 'results.md'}")
    for each in results["failed"]:
        print(f"{each['name']} failed: {each['error']}", file=sys.stderr)
    return 1 if results["failed"] else 0


def benchmark(
    suite: Suite, out: Path, *, experiments: Sequence[Experiment] | None = None,
    episodes: int | None = None, workers: int | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Run unfinished experiments of a suite; write results.json, results.md and plots.

    Args:
        suite: to run.
        out: the folder.
        experiments: to run, and those they start from; by default all.
        episodes: of each task and condition; by default those of the suite.
        workers: experiments at once; by default as many as there are cores for their threads.

    Returns:
        The content of results.json: all finished experiments, and those that failed now.

    Raises:
        AgentsError: a task has changed since the suite was frozen, or the folder is in use or
            holds another suite or number of episodes.
    """
    suites.check(suite)
    out = out.resolve()
    episodes = episodes or suite.episodes
    workers = workers or max(1, cores() // suite.threads)
    with checkpoint.locked(out):
        _claim(suite, out, episodes)
        chosen = suite.experiments if experiments is None else experiments
        work = _jobs(suite, chosen, out, episodes)
        errors: dict[str, str] = {}
        count = itertools.count(1)
        with Progress(len(work), unit="job") as progress:

            def done(job: jobs.Job, error: str | None) -> None:
                if error is not None:
                    errors[job.name] = error
                _write_results(suite, out, errors)
                outcome = _outcome(job.work) if error is None else f"failed: {error}"
                progress.advance()
                line = f"[{next(count)}/{len(work)}] {job.name}: {outcome}"
                progress.line(line, sys.stderr)

            jobs.run(work, workers, done)
        results = _write_results(suite, out, errors)
        # The tables first, since plots may fail or fill the disk.
        files.write(out / "results.md", tables.markdown(results).encode())
        if drawn := plots.plot(results, out):
            files.write(out / "results.md", tables.markdown(results, drawn).encode())
        return results


def selected(
    suite: Suite, *, policies: Sequence[str] = (), envs: Sequence[str] = (),
    demos: Sequence[int] = (), pools: Sequence[str] = (),
) -> list[Experiment]:  # fmt: skip
    """Some experiments of a suite, and those that they start from.

    Args:
        suite: that has them.
        policies: with one of these; by default any, as for the others.
        envs: evaluated on one of these tasks.
        demos: with one of these numbers of demonstrations, or without any.
        pools: trained on one of these lists, or on none.

    Raises:
        AgentsError: the suite has no such experiments.
    """
    everything = suite.experiments
    known: dict[str, tuple[Iterable[Any], set[Any]]] = {
        "policy": (policies, {each.policy for each in everything}),
        "task": (envs, {env for each in everything for env in each.envs}),
        "number of demonstrations": (demos, {each.demos for each in everything} - {None}),
        "pool": (pools, {each.pool for each in everything} - {None}),
    }
    for kind, (asked, there) in known.items():
        for value in asked:
            if value not in there:
                has = ", ".join(map(str, sorted(there))) or "none"
                raise AgentsError(f"suite {suite.name!r} has no {kind} {value!r}; it has {has}")
    chosen = {
        each.name
        for each in everything
        if (not policies or each.policy in policies)
        and (not envs or set(each.envs) & set(envs))
        and (not demos or each.demos is None or each.demos in demos)
        and (not pools or each.pool is None or each.pool in pools)
    }
    chosen |= {str(each.start) for each in everything if each.name in chosen and each.start}
    if not chosen:
        raise AgentsError(f"suite {suite.name!r} has no experiment that fits all of these options")
    return [each for each in everything if each.name in chosen]


def _claim(suite: Suite, out: Path, episodes: int) -> None:
    """Check that the folder is of this suite, with this number of episodes."""
    mine = {"name": suite.name, "version": suite.version, "sha256": suite.sha256}
    path = out / "suite.json"
    if not path.exists():
        checkpoint.save_json(path, {**mine, "episodes": episodes})
        return
    found = checkpoint.load_json(path)
    played = found.pop("episodes", None)
    if found != mine:
        raise AgentsError(
            f"{out} holds version {found.get('version')} of suite {found.get('name')!r}, not the "
            f"current version {suite.version} of {suite.name!r}; choose another --out"
        )
    if played != episodes:
        raise AgentsError(
            f"{out} holds results of {played} episodes, not {episodes}; choose another --out, or "
            f"give --episodes {played}"
        )


def _jobs(
    suite: Suite, experiments: Sequence[Experiment], out: Path, episodes: int
) -> list[jobs.Job]:
    """What is left to do. Demonstrations are recorded once, as many as any experiment needs."""
    todo = [
        each
        for each in experiments
        if RunExperiment(each, suite, episodes, None, out).result() is None
    ]
    most: dict[tuple[str, str, tuple[str, ...]], int] = {}
    for each in todo:
        if each.demos:
            data = demonstrations_of(each)
            most[data] = max(each.demos, most.get(data, 0))
    plan: dict[str, jobs.Job] = {}
    for each in todo:
        needs, path = {each.start} if each.start is not None else set(), None
        if each.demos:
            tasks, mode, perturb = data = demonstrations_of(each)
            path = out / "demos" / "-".join([tasks, mode, *perturb, str(most[data])])
            name = f"demos {path.name}"
            record = RecordDemos(path, each.envs, mode, most[data], perturb)
            plan.setdefault(name, jobs.Job(name, record, path.with_name(f"{path.name}.log")))
            needs.add(name)
        job = RunExperiment(each, suite, episodes, path, out)
        plan[each.name] = jobs.Job(each.name, job, job.folder / LOG, frozenset(needs))
    return list(plan.values())


def _write_results(suite: Suite, out: Path, errors: dict[str, str]) -> dict[str, Any]:
    """Write results.json, and return its content."""
    paths = [out / "experiments" / each.name / EXPERIMENT for each in suite.experiments]
    results = {
        "suite": suite.name,
        "version": suite.version,
        "purpose": suite.purpose,
        "sha256": suite.sha256,
        "experiments": [checkpoint.load_json(path) for path in paths if path.exists()],
        "failed": [{"name": name, "error": error} for name, error in errors.items()],
    }
    checkpoint.save_json(out / RESULTS, results)
    return results


def _outcome(work: object) -> str:
    """One line about a job that is done."""
    result = work.result() if isinstance(work, RunExperiment) else None
    if result is None:
        return "recorded"
    rates = [
        f"{100 * sum(each['success'] for each in found) / len(found):.0f}% {name}"
        for name, condition in result["conditions"].items()
        if (found := condition["results"])
    ]
    return ", ".join(rates) or "trained"
