"""The tables that are quick enough print a row for each env; mypy holds the types of the others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLES = ("success", "fusion", "arm", "latency", "soft", "truth", "sameness")


def benchmark(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)


def test_tables_have_rows(tmp_path: Path) -> None:
    done = benchmark(
        *TABLES, "--episodes", "1", "--tasks", "PutBlockInBowl", "--folder", str(tmp_path)
    )
    assert done.returncode == 0, done.stderr
    tables = done.stdout.split("### ")[1:]
    assert [table.split()[0] for table in tables] == list(TABLES)
    for table in tables:
        header, line, *rows = [row for row in table.splitlines() if row.startswith("|")]
        assert rows and all(row.count("|") == header.count("|") for row in [line, *rows])


def test_truth_goes_on_where_it_stopped(tmp_path: Path) -> None:
    arguments = ("truth", "--episodes", "1", "--tasks", "PutBlockInBowl", "--folder", str(tmp_path))
    first = benchmark(*arguments)
    kept = (tmp_path / "episodes.jsonl").read_bytes()
    second = benchmark(*arguments)
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert second.stdout == first.stdout
    assert (tmp_path / "episodes.jsonl").read_bytes() == kept


def test_an_unknown_task_or_table_is_one_line() -> None:
    for arguments in (["success", "--tasks", "Nothing"], ["nothing"]):
        done = benchmark(*arguments)
        assert done.returncode != 0 and "Traceback" not in done.stderr
        assert "there is no" in done.stderr
