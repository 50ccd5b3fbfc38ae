"""Folders of runs -> report.html and report.json."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gensim_envs.generation.embed import Embedder, TfIdf, embedder
from gensim_envs.generation.providers import ProviderError
from gensim_envs.pages.report.measures import fisher
from gensim_envs.pages.report.page import Shown, page
from gensim_envs.pages.report.pictures import Shot, shoot
from gensim_envs.pages.report.runs import Record, settings_shown
from gensim_envs.utils.files import write
from gensim_envs.utils.processes import in_order, processes

PAGE, FACTS = "report.html", "report.json"


def write_report(
    folders: Sequence[Path],
    out: Path,
    *,
    price: tuple[float, float] | None = None,
    workers: int | None = None,
    begin: Callable[[int], object] = lambda count: None,
    tick: Callable[[], object] = lambda: None,
) -> Path:
    """Write a page about runs, beside each other where there are several, and its facts as JSON.

    Equal runs give equal files.

    Args:
        folders: of the runs.
        out: folder of report.html and report.json.
        price: US dollars for a million tokens of prompts, and of answers.
        workers: processes that draw pictures; all cores if not said.
        begin: called with the number of pictures to come.
        tick: called after each.

    Returns:
        The page.

    Raises:
        RecordingError: where a run is missing or damaged, or has no verdict yet.
        OSError: where the disk does not take it.
    """
    records = [Record.read(folder) for folder in folders]
    programs = [(v.name, v.program) for record in records for v in record.accepted]
    begin(len(programs))
    shots = []
    # None of the processes is started where there is nothing to draw.
    with processes(workers if programs else 1) as executor:
        for shot in in_order(executor, shoot, programs):
            shots.append(shot)
            tick()
    shown = []
    for record, label in zip(records, labels(records), strict=True):
        own, shots = shots[: len(record.accepted)], shots[len(record.accepted) :]
        shown.append(_shown(record, label, own, price))
    chance = fisher(*(run.passed["published"] for run in shown[:2])) if len(shown) > 1 else None
    out.mkdir(parents=True, exist_ok=True)
    facts = {"runs": [_facts(run) for run in shown], "fisher_accepted_of_first_two": chance}
    write(out / FACTS, (json.dumps(facts, indent=1, ensure_ascii=True) + "\n").encode())
    write(out / PAGE, page(shown, chance).encode())
    return out / PAGE


def _shown(
    record: Record, label: str, shots: list[Shot], price: tuple[float, float] | None
) -> Shown:
    asked = record.settings.embedder
    chosen: Embedder
    try:
        chosen = embedder(asked)
    except ProviderError:
        chosen = TfIdf()
    return Shown(
        record,
        label,
        record.rates(first=True),
        record.rates(first=False),
        record.outcomes(),
        record.repairs(),
        record.usage(price),
        record.diversity(chosen, shots),
        dict(zip((verdict.attempt for verdict in record.accepted), shots, strict=True)),
    )


def labels(records: Sequence[Record]) -> list[str]:
    """What tells runs apart: the model, the scheme, both, or else the name of the folder."""
    for candidates in (
        [record.settings.model for record in records],
        [record.settings.scheme for record in records],
        [f"{record.settings.model}, {record.settings.scheme}" for record in records],
        [record.name for record in records],
    ):
        if len(set(candidates)) == len(candidates):
            return list(candidates)
    return [f"{record.name} ({number})" for number, record in enumerate(records, 1)]


def _facts(run: Shown) -> dict[str, Any]:
    """What the page says of a run, as plain data; programs and pictures are left out."""
    record = run.record
    return {
        "label": run.label,
        "settings": settings_shown(record.settings),
        "attempts": len(record.verdicts),
        "judged": len(record.judged),
        "unfinished": record.unfinished,
        "first": {stage: asdict(rate) for stage, rate in run.first.items()},
        "passed": {stage: asdict(rate) for stage, rate in run.passed.items()},
        "outcomes": [asdict(outcome) for outcome in run.outcomes],
        "repairs": [asdict(repairs) for repairs in run.repairs],
        "usage": asdict(run.usage),
        "diversity": asdict(run.diversity),
        "verdicts": [
            {key: value for key, value in verdict.to_json().items() if key != "program"}
            for verdict in record.verdicts
        ],
    }
