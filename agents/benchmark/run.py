"""A suite's cells, trained and evaluated: `python -m agents benchmark --suite NAME --out DIR`.

    DIR/suite.json               which suite, version and number of episodes; a folder holds one
    DIR/demos/                   demonstrations, made once and shared between cells
    DIR/cells/NAME/cell.json     what came of a cell; there when it is finished
    DIR/cells/NAME/run/          its checkpoint; beside it what it said and its episodes
    DIR/results.json, results.md, *.png

Cells are processes with as many threads as the suite says, so that results do not depend on how
many of them run at once. Whatever is killed goes on where it was when the same command is given.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from agents import files
from agents.benchmark import jobs, suites, tables
from agents.benchmark.experiments import CELL, LOG, MakeDemos, RunCell, demonstrated
from agents.benchmark.suites import SUITES, Cell, Suite
from agents.errors import AgentsError
from agents.training import checkpoint
from gensim_envs.seeds import TEST
from gensim_envs.utils.processes import cores

RESULTS = "results.json"


def benchmark(
    suite: Suite, out: Path, *, cells: Sequence[Cell] | None = None, episodes: int | None = None,
    workers: int | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Do what is not yet done of a suite, and write results.json, results.md and plots.

    Args:
        suite: what is to be done.
        out: the folder.
        cells: those that are to be done, and what they start from; None for all.
        episodes: of each task and track; None for as many as the suite says.
        workers: cells at once; None for as many as there are cores for their threads.

    Returns:
        What results.json holds: all cells that are finished, and those that failed now.

    Raises:
        AgentsError: where a task is not the one that the suite means, or the folder belongs to
            another suite, number of episodes or process.
    """
    suites.check(suite)
    out = out.resolve()
    episodes = episodes or suite.episodes
    workers = workers or max(1, cores() // suite.threads)
    with checkpoint.locked(out):
        _claim(suite, out, episodes)
        work = _jobs(suite, suite.cells if cells is None else cells, out, episodes)
        errors: dict[str, str] = {}
        count = itertools.count(1)
        with tqdm(total=len(work), unit="job", disable=not sys.stderr.isatty()) as bar:

            def done(job: jobs.Job, error: str | None) -> None:
                if error is not None:
                    errors[job.name] = error
                _results(suite, out, errors)
                said = _said(job.work) if error is None else f"failed: {error}"
                bar.update()
                tqdm.write(f"[{next(count)}/{len(work)}] {job.name}: {said}", file=sys.stderr)

            jobs.run(work, workers, done)
        results = _results(suite, out, errors)
        # Tables first: what a disk has room for does not wait for pictures.
        files.write(out / "results.md", tables.markdown(results).encode())
        if plots := tables.plot(results, out):
            files.write(out / "results.md", tables.markdown(results, plots).encode())
        return results


def selected(
    suite: Suite, *, agents: Sequence[str] = (), envs: Sequence[str] = (),
    demos: Sequence[int] = (), pools: Sequence[str] = (),
) -> list[Cell]:  # fmt: skip
    """Some cells of a suite, and those that they start from.

    Args:
        suite: that has them.
        agents: of these agents; of all where none is given, and so with the others.
        envs: tested on one of these tasks.
        demos: with one of these numbers of demonstrations, or without any.
        pools: trained on one of these lists, or on none.

    Raises:
        AgentsError: where the suite has nothing of the kind.
    """
    there: dict[str, tuple[Iterable[Any], set[Any]]] = {
        "agent": (agents, {cell.agent for cell in suite.cells}),
        "task": (envs, {env for cell in suite.cells for env in cell.envs}),
        "number of demonstrations": (demos, {c.demos for c in suite.cells if c.demos is not None}),
        "pool": (pools, {cell.pool for cell in suite.cells if cell.pool is not None}),
    }
    for kind, (asked, known) in there.items():
        for each in asked:
            if each not in known:
                has = ", ".join(map(str, sorted(known))) or "none"
                raise AgentsError(f"suite {suite.name!r} has no {kind} {each!r}; it has {has}")
    chosen = {
        cell.name
        for cell in suite.cells
        if (not agents or cell.agent in agents)
        and (not envs or set(cell.envs) & set(envs))
        and (not demos or cell.demos is None or cell.demos in demos)
        and (not pools or cell.pool is None or cell.pool in pools)
    }
    chosen |= {str(cell.start) for cell in suite.cells if cell.name in chosen and cell.start}
    if not chosen:
        raise AgentsError(f"suite {suite.name!r} has no cell that fits all that was asked for")
    return [cell for cell in suite.cells if cell.name in chosen]


def _claim(suite: Suite, out: Path, episodes: int) -> None:
    """See to it that the folder is this suite's, with so many episodes."""
    mine = {"name": suite.name, "version": suite.version, "sha256": suite.sha256}
    path = out / "suite.json"
    if not path.exists():
        checkpoint.save_json(path, {**mine, "episodes": episodes})
        return
    found = checkpoint.load_json(path)
    played = found.pop("episodes", suite.episodes)  # some folders were made before this was noted
    if found != mine:
        raise AgentsError(
            f"{out} holds version {found.get('version')} of suite {found.get('name')!r}, which is "
            f"not version {suite.version} of {suite.name!r} as it is now; choose another --out"
        )
    if played != episodes:
        raise AgentsError(
            f"{out} holds results of {played} episodes, not {episodes}; choose another --out, or "
            f"give --episodes {played}"
        )


def _jobs(suite: Suite, cells: Sequence[Cell], out: Path, episodes: int) -> list[jobs.Job]:
    """What is left to do. Demonstrations are made once, as many as any of the cells needs."""
    todo = [c for c in cells if RunCell(c, suite, episodes, None, out).finished() is None]
    most: dict[tuple[str, str, tuple[str, ...]], int] = {}
    for cell in todo:
        if cell.demos:
            data = demonstrated(cell)
            most[data] = max(cell.demos, most.get(data, 0))
    plan: dict[str, jobs.Job] = {}
    for cell in todo:
        needs, path = {cell.start} if cell.start is not None else set(), None
        if cell.demos:
            tasks, mode, perturb = data = demonstrated(cell)
            path = out / "demos" / f"{'-'.join([tasks, mode, *perturb, str(most[data])])}"
            name = f"demos {path.name}"
            make = MakeDemos(path, cell.envs, mode, most[data], perturb)
            plan.setdefault(name, jobs.Job(name, make, path.with_name(f"{path.name}.log")))
            needs.add(name)
        job = RunCell(cell, suite, episodes, path, out)
        plan[cell.name] = jobs.Job(cell.name, job, job.folder / LOG, frozenset(needs))
    return list(plan.values())


def _results(suite: Suite, out: Path, errors: dict[str, str]) -> dict[str, Any]:
    """Write results.json, and return what it holds."""
    found = [out / "cells" / cell.name / CELL for cell in suite.cells]
    results = {
        "suite": suite.name,
        "version": suite.version,
        "purpose": suite.purpose,
        "sha256": suite.sha256,
        "cells": [checkpoint.load_json(path) for path in found if path.exists()],
        "failed": [{"name": name, "error": error} for name, error in errors.items()],
    }
    checkpoint.save_json(out / RESULTS, results)
    return results


def _said(work: object) -> str:
    """One line about a job that is done."""
    cell = work.finished() if isinstance(work, RunCell) else None
    if cell is None:
        return "made"
    rates = [
        f"{100 * sum(row['success'] for row in rows) / len(rows):.0f}% {track}"
        for track, each in cell["tracks"].items()
        if (rows := each["rows"])
    ]
    return ", ".join(rates) or "trained"


def add_parser(commands: Any) -> None:
    """Add `python -m agents benchmark`."""
    text = "Train and evaluate the cells of a suite; go on where it was ended."
    parser = commands.add_parser("benchmark", help=text, description=text)
    parser.set_defaults(run=run)
    add = parser.add_argument
    add("--suite", required=True, metavar="NAME", help="which suite")
    add("--suites", type=Path, default=SUITES, metavar="FILE", help="else the shipped suites.json")
    add("--out", type=Path, required=True, metavar="DIR", help="of results; the same to go on")
    add("--agent", nargs="+", default=[], metavar="NAME", help="these agents only")
    add("--env", nargs="+", default=[], metavar="ID", help="these tasks only")
    add("--demos", nargs="+", type=int, default=[], metavar="N", help="so many, if there are any")
    add("--pool", nargs="+", default=[], metavar="LIST", help="where tasks are trained on together")
    add("--episodes", type=int, metavar="N", help="of each task and track; else the suite's number")
    add("--workers", type=int, metavar="N", help="cells at once; else as many as cores allow")


def run(options: argparse.Namespace) -> int:
    """`python -m agents benchmark`: 0 where all cells are finished, 1 where some failed."""
    if options.episodes is not None and not 1 <= options.episodes <= len(TEST):
        raise AgentsError(f"episodes is {options.episodes}; ask for 1 to {len(TEST)}")
    if options.workers is not None and options.workers < 1:
        raise AgentsError(f"workers is {options.workers}; use at least 1")
    suite = suites.suite(options.suite, options.suites)
    cells = selected(
        suite, agents=options.agent, envs=options.env, demos=options.demos, pools=options.pool
    )
    results = benchmark(
        suite, options.out, cells=cells, episodes=options.episodes, workers=options.workers
    )
    print(f"wrote {options.out / 'results.md'}")
    for each in results["failed"]:
        print(f"{each['name']} failed: {each['error']}", file=sys.stderr)
    return 1 if results["failed"] else 0
