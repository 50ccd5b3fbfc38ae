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
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import arg

from agents import checkpoint, suites
from agents.benchmark import freezing, jobs, plots, tables
from agents.benchmark.experiments import EXPERIMENT, LOG, Recording, RunExperiment, recording_of
from agents.errors import AgentsError
from agents.ranges import Checked
from agents.suites import SUITES, Experiment, Suite
from agents.training.collect import collect
from gensim_envs.printing import printable
from gensim_envs.seeds import TEST
from gensim_envs.utils import cli, files
from gensim_envs.utils.decode import Range
from gensim_envs.utils.processes import cores
from gensim_envs.utils.progress import Progress

RESULTS = "results.json"


@dataclass(frozen=True, kw_only=True)
class BenchmarkConfig(Checked):
    """Options of `python -m agents benchmark`."""

    option_prefix = ""

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
    episodes: Annotated[int | None, Range(1, len(TEST))] = None
    """Episodes of each task and condition; by default those of the suite."""
    workers: cli.OptionalPositive = None
    """Experiments at once; by default as many as cores allow."""


def run(config: BenchmarkConfig) -> int:
    """Train and evaluate the experiments of a suite, or resume.

    Writes results.json, results.md and plots. Exit code 0 if all experiments are finished, 1 if
    some failed.
    """
    suite = suites.suite(config.suite, config.suites)
    experiments = selected(
        suite, policies=config.policy, envs=config.env, demos=config.demos, pools=config.pool
    )
    freezing.check(suite)
    out, episodes = files.absolute(config.out), config.episodes or suite.episodes
    alike = {(each.policy, each.kind, json.dumps(each.options)): each for each in experiments}
    for each in alike.values():
        RunExperiment(each, suite, episodes, out, out).check_options()
    with checkpoint.locked(out):
        _claim(suite, out, episodes)
        work = _jobs(suite, experiments, out, episodes)
        count = itertools.count(1)
        with Progress(len(work), unit="job") as progress:

            def done(job: jobs.Job, errors: dict[str, str]) -> None:
                _write_results(suite, out, errors)
                failed = job.name in errors
                outcome = f"failed: {errors[job.name]}" if failed else _outcome(job.work)
                progress.advance()
                line = f"[{next(count)}/{len(work)}] {job.name}: {outcome}"
                progress.line(line, sys.stderr)

            errors = jobs.run(work, config.workers or max(1, cores() // suite.threads), done)
        results = _write_results(suite, out, errors)
        # The tables first, since plots may fail or fill the disk.
        files.write(out / "results.md", tables.markdown(results).encode())
        if drawn := plots.plot(results, out):
            files.write(out / "results.md", tables.markdown(results, drawn).encode())
    print(f"wrote {config.out / 'results.md'}")
    for name, error in errors.items():
        print(printable(f"{name} failed: {error}"), file=sys.stderr)
    return 1 if errors else 0


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
        AgentsError: if the suite has no such experiments.
    """
    # What is asked for, and what each experiment has of it.
    filters: dict[str, tuple[Sequence[Any], Callable[[Experiment], set[Any]]]] = {
        "policy": (policies, lambda each: {each.policy}),
        "task": (envs, lambda each: set(each.envs)),
        "number of demonstrations": (demos, lambda each: {each.demos} - {None}),
        "pool": (pools, lambda each: {each.pool} - {None}),
    }
    chosen = list(suite.experiments)
    for kind, (asked, values) in filters.items():
        known = set[Any]().union(*map(values, suite.experiments))
        for value in asked:
            if value not in known:
                has = ", ".join(map(str, sorted(known))) or "none"
                raise AgentsError(f"suite {suite.name!r} has no {kind} {value!r}; it has {has}")
        if asked:
            chosen = [each for each in chosen if not values(each) or values(each) & set(asked)]
    if not chosen:
        raise AgentsError(f"suite {suite.name!r} has no experiment that fits all of these options")
    names = {each.name for each in chosen} | {each.start for each in chosen}
    return [each for each in suite.experiments if each.name in names]


def _claim(suite: Suite, out: Path, episodes: int) -> None:
    """Check that the folder is of this suite, with this number of episodes."""
    mine = {"name": suite.name, "version": suite.version, "sha256": suite.sha256,
            "episodes": episodes}  # fmt: skip
    path = out / "suite.json"
    if not path.exists():
        checkpoint.save_json(path, mine)
    found = checkpoint.load_json(path)
    if found != mine:
        raise AgentsError(
            f"{out} holds results of version {found.get('version')} of suite "
            f"{found.get('name')!r} with --episodes {found.get('episodes')}, not of the current "
            f"version {suite.version} of {suite.name!r} with --episodes {episodes}; choose another "
            "--out"
        )


def _jobs(
    suite: Suite, experiments: Sequence[Experiment], out: Path, episodes: int
) -> list[jobs.Job]:
    """The remaining jobs. Demonstrations are recorded once, in the largest number needed."""
    most: dict[Recording, int] = {}
    for each in experiments:
        if each.demos:
            recording = recording_of(each)
            most[recording] = max(each.demos, most.get(recording, 0))
    plan: dict[str, jobs.Job] = {}
    for each in experiments:
        if RunExperiment(each, suite, episodes, None, out).result() is not None:
            continue
        needs, path = {each.start} if each.start is not None else set(), None
        if each.demos:
            recording = recording_of(each)
            path = out / "demos" / recording.folder(most[recording])
            name = f"demos {path.name}"
            record = partial(
                collect, each.envs, most[recording], path, obs_mode=recording.obs_mode, workers=1,
                **dict(recording.options),
            )  # fmt: skip
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
        "total": len(suite.experiments),
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
