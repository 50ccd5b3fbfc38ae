"""The command that imports programs of the original GenSim."""

from __future__ import annotations

from pathlib import Path

from tyro.conf import Positional

from gensim_envs.cli.shared import Folder, check_writable, open_library
from gensim_envs.generation import publish as publisher
from gensim_envs.generation.importing import run
from gensim_envs.utils import processes
from gensim_envs.utils.cli import UsageError, Workers
from gensim_envs.utils.progress import Progress


def import_programs(
    files: Positional[tuple[Path, ...]],
    *,
    report: Path | None = None,
    weak_sandbox: bool = False,
    workers: Workers = None,
    library: Folder = None,
) -> int:
    """Translate programs of the original GenSim and publish them into a library.

    Args:
        files: programs, each with one class that derives from that project's Task.
        report: JSON file to write: how far each program got, and why no further.
        weak_sandbox: run the programs even if this machine cannot isolate them.
    """
    if not files:
        raise UsageError("name at least one program")
    if missing := [str(file) for file in files if not file.is_file()]:
        raise UsageError(f"there is no file {missing[0]}")
    if report is not None:
        check_writable(report.parent)
    opened = open_library(library, write=True)
    publisher.check_guard(weak_sandbox)
    outcomes = []
    with (
        Progress(len(files), "import", unit="program") as progress,
        processes.processes(workers) as executor,
    ):
        for file in files:
            outcome = run.import_file(file, opened, executor, weak=weak_sandbox)
            outcomes.append(outcome)
            progress.line(str(outcome))
            progress.advance()
            if report is not None:  # what is done is kept if the next one is interrupted
                run.write_report(report, outcomes)
    passed = run.counts(outcomes)
    print(
        f"{passed['programs']} programs: {passed['record']} recorded, {passed['translate']} "
        f"translated, {passed['solve']} solved, {passed['publish']} published into {opened.root}"
    )
    return 0 if passed["publish"] == len(files) else 1
