"""Last stage: a task that has passed everything becomes a record, a file and a provenance."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gensim_envs
from gensim_envs.errors import TaskError
from gensim_envs.generation import check, validate
from gensim_envs.library import Library, LibraryError, Record, digest, file_of, is_hand_written
from gensim_envs.sandbox import check as gate
from gensim_envs.sandbox import protection
from gensim_envs.sandbox.program import HandWritten, Sandboxed, module_name

Report = Callable[[str], None]


def publish(
    library: Library,
    text: str,
    *,
    model: str,
    weak_sandbox: bool = False,
    workers: int | None = None,
    report: Report = lambda line: None,
    tick: Report = lambda line: None,
) -> Record:
    """Take a model's answer, or a bare program, through every stage into a library.

    Args:
        library: where to.
        text: the answer; it is kept as the task's completion.
        model: who wrote it, for the provenance.
        weak_sandbox: publish although this machine cannot deny the program processes or network.
        workers: processes for the certificate.
        report: called with a line after each stage.
        tick: called with a line after each episode of the certificate.

    Raises:
        TaskError: why it is refused; the library is then as it was.
        LibraryError: where the library cannot take it.
    """
    check_guard(weak_sandbox)
    source, program = check.program_of(text)
    report(f"gate: {program.name} may run")
    library.recover()
    library.others(program.name, file_of(program.name), source, text)
    survey = check.survey_source(source)
    report(f"specs: 1000 draws, {survey.redraws:.1%} redrawn")
    certificate = validate.certify(
        program, survey.bounds, survey.redraws, workers=workers, tick=tick
    )
    report(f"certificate: the oracle solves {certificate.oracle} of 20")
    record = row_of(source, survey, certificate)
    library.publish(record, source, provenance(model), text)
    return record


def check_guard(weak_sandbox: bool) -> None:
    """Publishing a model's program needs a machine that can lock it in.

    Raises:
        LibraryError: where this one cannot, and nobody has said that it need not.
    """
    guard = protection()
    if not (guard.processes and guard.network) and not weak_sandbox:
        raise LibraryError(
            f"this machine cannot lock the program in ({guard.description}). "
            "Use --weak-sandbox if you have read the program and trust it"
        )


def provenance(model: str, **more: Any) -> dict[str, Any]:
    """Who wrote a program, and when and where it was published."""
    return {
        "model": model,
        "published": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "suite": gensim_envs.__version__,
        "sandbox": protection().description,
        **more,
    }


def certify(
    library: Library, file: str, *, workers: int | None = None, tick: Report = lambda line: None
) -> Record:
    """The record of a program, measured anew.

    Raises:
        TaskError: where it would not be published.
    """
    source = library.program(file)
    program: HandWritten | Sandboxed
    if is_hand_written(file):
        program = HandWritten(gate(source).class_name, module_name(file))
        survey = check.survey_task(program)
    else:
        program = Sandboxed(gate(source).class_name, source)
        survey = check.survey_source(source)
    certificate = validate.certify(
        program, survey.bounds, survey.redraws, workers=workers, tick=tick
    )
    return row_of(source, survey, certificate, file)


def row_of(
    source: str, survey: check.Survey, certificate: validate.Certificate, file: str | None = None
) -> Record:
    """The record of a program that has passed; a generated one's file follows from its name."""
    return Record(
        id=f"gensim/{survey.name}-v{survey.version}",
        file=file or file_of(survey.name),
        sha256=digest(source),
        summary=survey.summary,
        instruction=survey.instruction,
        bounds=survey.bounds,
        max_episode_steps=validate.max_steps(survey.bounds),
        certificate=certificate.to_json(),
    )


def regenerate(
    library: Library,
    hand_written: Path | None,
    *,
    workers: int | None = None,
    report: Report = lambda line: None,
) -> bool:
    """Rebuild all records from the programs that have a provenance.

    Args:
        library: whose records.
        hand_written: folder of the suite's own tasks, for the suite's own library.
        workers: processes for the certificates.
        report: called with a line for each task.

    Returns:
        Whether registry.json changed.

    Raises:
        TaskError: naming the task that would no longer be published; nothing is then written.
        LibraryError: where a program without a provenance, or the reverse, is found.
    """
    records = []
    for file in _programs(library, hand_written):
        try:
            records.append(certify(library, file, workers=workers))
        except TaskError as error:
            raise TaskError(f"{file}: {error}", cause=error.cause) from error
        report(f"{records[-1].id}: the oracle solves {records[-1].certificate['oracle']} of 20")
        for other in records[:-1]:
            if other.name == records[-1].name:
                raise LibraryError(f"{other.file} and {file} both define {other.name}")
    for record in _gone(library, records):
        report(f"{record.id}: its program is gone, and so is its record")
    return library.write_records(records)


def _gone(library: Library, new: list[Record]) -> list[Record]:
    """Rows of now that are not among the new ones, as far as they can be read."""
    try:
        old = library.records()
    except LibraryError:
        return []
    return [record for record in old if record.id not in {other.id for other in new}]


def _programs(library: Library, hand_written: Path | None) -> list[str]:
    folder = library.root / "generated"
    programs = {path.stem for path in folder.glob("*.py")}
    known = {path.stem for path in (folder / "provenance").glob("*.json")}
    if programs != known:
        odd = sorted(programs ^ known)[0]
        raise LibraryError(f"{folder}: {odd} has not both a program and a provenance")
    for stem in sorted(known):
        path = folder / "provenance" / f"{stem}.json"
        try:
            json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise LibraryError(f"{path} is no JSON: {error}") from error
    own = [] if hand_written is None else sorted(hand_written.glob("[a-z]*.py"))
    return [f"gensim_envs/tasks/{path.name}" for path in own] + [
        f"generated/{stem}.py" for stem in sorted(programs)
    ]
