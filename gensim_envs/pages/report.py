"""Write report.html and report.json about one run, or several runs side by side."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from gensim_envs.generation.recording import RecordingError
from gensim_envs.pages import columns
from gensim_envs.pages.measures import fisher
from gensim_envs.pages.render import render
from gensim_envs.pages.runs import Run, summary
from gensim_envs.pages.snapshots import Snapshot, take_snapshot
from gensim_envs.printing import printable
from gensim_envs.utils import files
from gensim_envs.utils.processes import map_in_order
from gensim_envs.utils.progress import Progress

PAGE, FACTS = "report.html", "report.json"


def write_report(
    folders: Sequence[Path],
    out: Path,
    *,
    price: tuple[float, float] | None = None,
    workers: int | None = None,
    weak_sandbox: bool = False,
) -> Path:
    """Write a page about runs and its figures as JSON; equal runs give equal files.

    Args:
        folders: of the runs.
        out: folder of report.html and report.json.
        price: US dollars for a million tokens of prompts, and of answers.
        workers: number of processes that render pictures; by default one for each core.
        weak_sandbox: run programs also where this machine cannot isolate them; without, such a
            machine takes no pictures.

    Returns:
        The page.

    Raises:
        RecordingError: if a run is missing or damaged, or no attempt of any run has ended.
        FileError: if a file cannot be written.
    """
    found = [Run.read(folder, price) for folder in folders]
    runs = [run for run in found if run.verdicts]
    if not runs:
        raise RecordingError(f"{folders[0]} has no verdict yet: no attempt has ended")
    skipped = [run.name for run in found if not run.verdicts]
    for name in skipped:
        print(printable(f"skipped {name}: no attempt has ended"))
    jobs = [(v.name, v.program, weak_sandbox) for run in runs for v in run.accepted]
    taken = map_in_order(take_snapshot, jobs, workers, lambda error: Snapshot(problem=str(error)))
    with contextlib.closing(taken) as snapshots, Progress(len(jobs), "pictures") as progress:
        for run, label in zip(runs, labels(runs), strict=True):
            run.label = label
            for verdict in run.accepted:
                run.snapshots[verdict.attempt] = next(snapshots)
                progress.advance()
    p_value = fisher(*(run.passed["published"] for run in runs[:2])) if len(runs) > 1 else None
    facts = {
        "runs": [run.to_json() for run in runs],
        "skipped": skipped,
        "fisher_accepted_of_first_two": p_value,
    }
    html = render(
        "report.html",
        runs=runs,
        skipped=skipped,
        p_value=p_value,
        series=[(run.label, run.passed, number) for number, run in enumerate(runs)],
        columns=columns,
        summary=summary,
    )
    files.write(out / FACTS, f"{json.dumps(facts, indent=1, default=asdict)}\n".encode())
    files.write(out / PAGE, html.encode())
    return out / PAGE


def labels(runs: Sequence[Run]) -> list[str]:
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
