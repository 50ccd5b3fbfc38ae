"""Measure the pipeline: a replay, the overlap of waiting and simulating, and library growth."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from gensim_envs.generation.check import Facts
from gensim_envs.generation.embed import TfIdf
from gensim_envs.generation.memory import Entry, Memory
from gensim_envs.generation.publish import publish
from gensim_envs.generation.verdict import read_verdicts
from gensim_envs.library import Library, Record, digest, dump_records, shipped

Rows = Iterator[tuple[str, ...]]
LATENCY = 0.3  # seconds
WINDOW = 8  # requests in flight
TASKS = Path(__file__).parents[1] / "tests"


def replay(attempts: int | None) -> Rows:
    """The shipped recording through all stages, with one process and with two."""
    yield "processes", "attempts", "accepted", "seconds", "against one", "as shipped"
    first = 0.0
    for workers in (1, 2):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            count = () if attempts is None else ("--count", str(attempts))
            took = _generate(root, "--provider", "replay", "--workers", str(workers), *count)
            verdicts = read_verdicts(root / "run")
            accepted = sum(verdict.accepted for verdict in verdicts)
            same = _as_shipped(Library(root / "library"))
        first = first or took
        yield (str(workers), str(len(verdicts)), str(accepted), f"{took:.0f}",
               f"{first / took:.2f}", same)  # fmt: skip


def _generate(root: Path, *options: str) -> float:
    """Seconds of a run."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "gensim_envs.cli", "generate", "--library", str(root / "library"),
         "--run", str(root / "run"), *options],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return time.perf_counter() - began


def _as_shipped(library: Library) -> str:
    """How many records and programs are those of the shipped library, byte for byte."""
    known = {record.id: record for record in shipped().records()}
    records = library.records()
    same = sum(
        known.get(record.id) == record and bool(library.source(record)) for record in records
    )
    return f"{same} of {len(records)}"


def overlap(attempts: int) -> Rows:
    """Time of waiting for a slow server and of simulating: both at once, and each alone."""
    sys.path.insert(0, str(TASKS))
    from fake_server import FakeServer  # type: ignore[import-not-found]

    yield "attempts", "both, s", "model alone, s", "simulation alone, s", "both / the longer"
    usual = ("--count", str(attempts), "--window", str(WINDOW), "--embedder", "tfidf")
    with tempfile.TemporaryDirectory() as folder, FakeServer(latency=LATENCY) as server:
        root = Path(folder)
        both = _generate(
            root / "both", "--model", "tiny", "--base-url", server.url, *usual,
            "--record", str(root / "record"),
        )  # fmt: skip
        waiting = [verdict.seconds["model"] for verdict in read_verdicts(root / "both/run")]
        alone = sum(waiting) / WINDOW
        simulation = _generate(
            root / "alone", "--provider", "replay", "--recording", str(root / "record")
        )
    longer = max(alone, simulation)
    yield (str(attempts), f"{both:.1f}", f"{alone:.1f}", f"{simulation:.1f}",
           f"{both / longer:.2f}")  # fmt: skip


def growth() -> Rows:
    """Cost of one more task in a library of 50 and of 5,000 records, medians of five."""
    yield ("records", "publishing with certificate, s", "of that the library, ms",
           "search of descriptions, ms", "search of programs, ms")  # fmt: skip
    source = shipped().program("generated/build_wheel.py")
    record = next(record for record in shipped().records() if record.name == "BuildWheel")
    for records in (50, 5000):
        with tempfile.TemporaryDirectory() as folder:
            library = _library(Path(folder), source, record, records)
            whole, part = [], []
            for k in range(5):
                began = time.perf_counter()
                publish(library, source.replace("BuildWheel", f"Whole{k}"), model="nobody")
                whole.append(time.perf_counter() - began)
                program = source.replace("BuildWheel", f"Part{k}")
                one = replace(record, id=f"gensim/Part{k}-v0", file=f"generated/part{k}.py",
                              sha256=digest(program))  # fmt: skip
                began = time.perf_counter()
                library.publish(one, program, {"model": "nobody"}, None)
                part.append(time.perf_counter() - began)
        descriptions, programs = _search(source, records)
        yield (str(records), f"{statistics.median(whole):.2f}",
               f"{1e3 * statistics.median(part):.0f}",
               f"{1e3 * descriptions:.0f}", f"{1e3 * programs:.0f}")  # fmt: skip


def _library(root: Path, source: str, record: Record, records: int) -> Library:
    """A library of many equal tasks under different names."""
    library = Library(root)
    (root / "generated").mkdir()
    found = []
    for k in range(records):
        program = source.replace("BuildWheel", f"Wheel{k}")
        file = f"generated/wheel{k}.py"
        (root / file).write_text(program, encoding="utf-8")
        found.append(replace(record, id=f"gensim/Wheel{k}-v0", file=file, sha256=digest(program)))
    library.registry.write_text(dump_records(found), encoding="utf-8")
    return library


def _search(source: str, records: int) -> tuple[float, float]:
    """Median seconds of a search among descriptions, and among programs."""
    what, where = ("blocks", "rings", "ropes", "trays"), ("zone", "bowl", "crate")
    nothing = Facts((), (), (), 1, 1)
    entries = [
        Entry(
            f"Task{k}", f"Move {k % 89} {what[k % 4]} past {k % 97} posts to the {where[k % 3]}",
            source.replace("BuildWheel", f"Task{k}"), nothing,
        )
        for k in range(records)
    ]  # fmt: skip
    memory = Memory(TfIdf(), entries)
    memory.nearest("Warm", "up", 1), memory.nearest_program(source)
    took: list[tuple[float, float]] = []
    for k in range(5):
        began = time.perf_counter()
        memory.nearest("New", f"Stack {k} pots on a ladder", 4)
        middle = time.perf_counter()
        memory.nearest_program(f"{source}\n# {k}\n")
        took.append((middle - began, time.perf_counter() - middle))
    return (
        statistics.median(first for first, _ in took),
        statistics.median(second for _, second in took),
    )
