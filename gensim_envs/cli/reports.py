"""Commands that say what became of runs, where tasks lie, and what they are made of."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from gensim_envs.cli.shared import (
    Bar,
    Command,
    UsageError,
    check_writable,
    library_of,
    need,
    price,
    workers,
)


def add_commands(command: Command) -> None:
    """Declare them."""
    sub = command("report", _report, "Write a page about what became of runs.")
    sub.add_argument("runs", type=Path, metavar="RUN", nargs="+",
                     help="folders of runs; several are compared")  # fmt: skip
    sub.add_argument("--out", type=Path, metavar="DIR",
                     help="where to write; the first run's folder if not given")  # fmt: skip
    sub.add_argument("--price", type=price, metavar="IN,OUT",
                     help="US dollars for a million tokens of prompts and of answers")  # fmt: skip
    workers(sub)

    sub = command("map", _map, "Draw the tasks of a library by how alike their descriptions are.")
    sub.add_argument("--out", type=Path, default=Path("out/map.html"), metavar="FILE.html")
    sub.add_argument("--embedder", default="auto", help="auto, minilm, tfidf or openai:MODEL")

    sub = command("stats", _stats, "Count what the tasks of a library are made of.")
    sub.add_argument("--json", action="store_true", help="the same figures, for programs")


def _report(options: argparse.Namespace) -> int:
    need("jinja2", "pydantic")
    from gensim_envs.generation.recording import RecordingError
    from gensim_envs.pages.report import write_report

    out = options.out or options.runs[0]
    for folder in options.runs:
        if not (folder / "run.json").is_file():
            raise UsageError(f"{folder} is no run: it has no run.json")
    check_writable(out.absolute())
    bar = Bar(0, "pictures")
    try:
        with bar:
            page = write_report(
                options.runs, out, price=options.price, workers=options.workers,
                begin=bar.expect, tick=bar.tick,
            )  # fmt: skip
    except RecordingError as error:
        raise UsageError(str(error)) from error
    print(f"wrote {page}, {page.stat().st_size / 1e6:.1f} MB, and {page.with_suffix('.json').name}")
    return 0


def _map(options: argparse.Namespace) -> int:
    from gensim_envs.generation.memory import recall
    from gensim_envs.generation.providers import ApiError, ProviderError
    from gensim_envs.pages.map import embedder_of, map_page

    library = library_of(options)
    if options.out.is_dir():
        raise UsageError(f"{options.out} is a folder; name a file")
    check_writable(options.out.absolute().parent)
    entries = recall(library)
    generated = {record.name for record in library.records() if not record.hand_written}
    try:
        html = map_page(entries, generated, embedder_of(options.embedder))
    except (ApiError, ProviderError) as error:
        raise UsageError(str(error)) from error
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(html, encoding="utf-8")
    print(f"wrote {options.out}: {len(entries)} tasks, {len(generated)} of them generated")
    return 0


def _stats(options: argparse.Namespace) -> int:
    from gensim_envs.generation.memory import recall
    from gensim_envs.pages.stats import count, lines

    library = library_of(options)
    entries = recall(library)
    generated = {record.name for record in library.records() if not record.hand_written}
    found = count(entries, generated)
    print(json.dumps(found.to_json(), indent=2) if options.json else "\n".join(lines(found)))
    return 0
