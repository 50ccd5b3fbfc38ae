"""Write report.html and report.json about one run, or several runs side by side."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import asdict
from pathlib import Path

from gensim_envs.generation.embed import TfIdf, embedder
from gensim_envs.generation.providers import ProviderError
from gensim_envs.pages import columns
from gensim_envs.pages.measures import fisher
from gensim_envs.pages.render import render
from gensim_envs.pages.run_summary import RunSummary
from gensim_envs.pages.runs import RunData, summary
from gensim_envs.pages.snapshots import Snapshot, take_snapshot
from gensim_envs.utils import files
from gensim_envs.utils.processes import map_in_order

PAGE, FACTS = "report.html", "report.json"


def write_report(
    folders: Sequence[Path],
    out: Path,
    *,
    price: tuple[float, float] | None = None,
    workers: int | None = None,
    executor: Executor | None = None,
    begin: Callable[[int], object] = lambda count: None,
    tick: Callable[[], object] = lambda: None,
) -> Path:
    """Write a page about runs and its figures as JSON; equal runs give equal files.

    Args:
        folders: of the runs.
        out: folder of report.html and report.json.
        price: US dollars for a million tokens of prompts, and of answers.
        workers: number of processes that render pictures; by default one for each core.
        executor: used instead of new processes.
        begin: called with the number of pictures.
        tick: called after each picture.

    Returns:
        The page.

    Raises:
        RecordingError: if a run is missing, damaged, or has no verdict yet.
        FileError: if a file cannot be written.
    """
    runs = [RunData.read(folder) for folder in folders]
    programs = [(v.name, v.program) for run in runs for v in run.accepted]
    begin(len(programs))
    snapshots = []
    with contextlib.closing(map_in_order(take_snapshot, programs, workers, executor)) as results:
        for snapshot in results:
            snapshots.append(snapshot)
            tick()
    summaries = []
    for data, label in zip(runs, labels(runs), strict=True):
        count = len(data.accepted)
        summaries.append(_summary(data, label, snapshots[:count], price))
        del snapshots[:count]
    several = len(summaries) > 1
    p_value = fisher(*(each.passed["published"] for each in summaries[:2])) if several else None
    facts = {
        "runs": [each.to_json() for each in summaries],
        "fisher_accepted_of_first_two": p_value,
    }
    html = render(
        "report.html",
        runs=summaries,
        p_value=p_value,
        series=[(each.label, each.passed, number) for number, each in enumerate(summaries)],
        columns=columns,
        summary=summary,
    )
    files.write(out / FACTS, f"{json.dumps(facts, indent=1, default=asdict)}\n".encode())
    files.write(out / PAGE, html.encode())
    return out / PAGE


def _summary(
    data: RunData, label: str, snapshots: list[Snapshot], price: tuple[float, float] | None
) -> RunSummary:
    try:
        chosen = embedder(data.settings.embedder)
    except ProviderError:  # the run's own is not installed here, or needs a server
        chosen = TfIdf()
    return RunSummary(
        data=data,
        label=label,
        first=data.rates(first=True),
        passed=data.rates(first=False),
        outcomes=data.outcomes(),
        repairs=data.repairs(),
        usage=data.usage(price),
        diversity=data.diversity(chosen, snapshots),
        snapshots={v.attempt: each for v, each in zip(data.accepted, snapshots, strict=True)},
    )


def labels(runs: Sequence[RunData]) -> list[str]:
    """Names that tell runs apart: by model, scheme, both, or the name of the folder."""
    for candidates in (
        [run.settings.model for run in runs],
        [run.settings.scheme for run in runs],
        [f"{run.settings.model}, {run.settings.scheme}" for run in runs],
        [run.name for run in runs],
    ):
        if len(set(candidates)) == len(candidates):
            return list(candidates)
    return [f"{run.name} ({number})" for number, run in enumerate(runs, 1)]
