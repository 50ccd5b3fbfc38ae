"""Measure a program, and publish it as a record, a file and a provenance."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import gensim_envs
from gensim_envs import trust
from gensim_envs.errors import LibraryError, SandboxError, TaskError
from gensim_envs.generation import check, validate
from gensim_envs.library import (
    Library,
    Record,
    class_of,
    digest,
    file_of,
    is_hand_written,
    parse_record,
)
from gensim_envs.sandbox.client import protection
from gensim_envs.sandbox.gate import check as gate
from gensim_envs.sandbox.process import refusal
from gensim_envs.sandbox.program import HandWritten, Program, Sandboxed
from gensim_envs.seeds import CERTIFICATE, SURVEY
from gensim_envs.utils import processes
from gensim_envs.utils.decode import read
from gensim_envs.utils.naming import snake_case

Report = Callable[[str], None]


@dataclass(frozen=True)
class Candidate:
    """A program that has passed gate, survey and certificate.

    Attributes:
        source: the program.
        survey: result of its draws.
        certificate: result of its episodes.
        file: the program's path below the library's folder.
        answer: answer that contained the program; published as the task's completion.
    """

    source: str
    survey: check.Survey
    certificate: validate.Certificate
    file: str
    answer: str = ""

    @property
    def record(self) -> Record:
        """The record that a registry keeps.

        Raises:
            TaskError: if a registry could not be read with it, such as for a summary that is too
                long.
        """
        record = Record(
            id=f"gensim/{self.survey.name}-v{self.survey.version}",
            file=self.file,
            sha256=digest(self.source),
            summary=self.survey.summary,
            instruction=self.survey.instruction,
            bounds=self.survey.bounds,
            max_episode_steps=validate.max_steps(self.survey.bounds),
            certificate=asdict(self.certificate),
        )
        try:
            return parse_record(asdict(record))
        except LibraryError as error:
            raise TaskError(str(error), "Shorten it, or make the task smaller") from error

    def publish(self, library: Library, model: str, **more: Any) -> Record:
        """Write it into a library.

        Args:
            library: library to publish into.
            model: the author.
            more: further keys of the provenance.

        Raises:
            LibraryError: if the library cannot take it; it is then unchanged.
        """
        provenance = {
            "model": model,
            "published": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "suite": gensim_envs.__version__,
            "sandbox": protection().description,
            **more,
        }
        library.publish(self.record, self.source, provenance, self.answer)
        return self.record


def publish(
    library: Library,
    text: str,
    *,
    model: str,
    weak_sandbox: bool = False,
    workers: int | None = None,
    report: Report = lambda line: None,
    tick: validate.Tick = lambda: None,
) -> Record:
    """Take a model's answer, or a bare program, through every check and publish it.

    Args:
        library: library to publish into.
        text: the answer; it is kept as the task's completion.
        model: the author, for the provenance.
        weak_sandbox: run and publish it although this machine cannot isolate it.
        workers: number of processes; by default one for each core.
        report: called with a line after each stage.
        tick: called after each episode of the certificate.

    Raises:
        TaskError: if it is refused; the library is then unchanged.
        LibraryError: if the library cannot take it.
    """
    check_guard(weak_sandbox)
    source, program = check.program_of(text, weak=weak_sandbox)
    report(f"gate: {program.name} may run")
    with processes.processes(workers) as executor:
        candidate = measured(library, program, source, text, executor, report, tick)
    return candidate.publish(library, model)


def measured(
    library: Library,
    program: Program,
    source: str,
    answer: str,
    executor: Executor,
    report: Report = lambda line: None,
    tick: validate.Tick = lambda: None,
) -> Candidate:
    """Take a program that may run through survey and certificate.

    Args:
        library: where it is to be published.
        program: what is measured.
        source: its source.
        answer: the model's answer that contained it.
        executor: runs draws and episodes.
        report: called with a line after each check that was passed.
        tick: called after each episode of the certificate.

    Raises:
        TaskError: if it fails a check.
        LibraryError: if the library has such a task already.
    """
    file = file_of(program.name)
    library.recover()
    library.others(program.name, file, source, answer)
    survey = check.survey_in(executor, program, source)
    report(f"specs: {2 * len(SURVEY)} draws, {survey.redraws:.1%} redrawn")
    certificate = validate.certify(program, survey.bounds, survey.redraws, executor, tick)
    report(
        f"certificate: the oracle solves {certificate.oracle} of {len(CERTIFICATE)}, "
        f"blind play {certificate.blind:.0%}"
    )
    return Candidate(source, survey, certificate, file, answer)


def check_guard(weak_sandbox: bool) -> None:
    """Check that this machine can isolate a program that nobody has reviewed.

    Raises:
        SandboxError: if it cannot and `weak_sandbox` is false.
    """
    if not weak_sandbox and not (guard := protection()).isolates:
        remedy = "Use --weak-sandbox if you have read the program and trust it"
        raise SandboxError(refusal(guard.description, remedy))


def certify(
    library: Library, file: str, executor: Executor, tick: validate.Tick = lambda: None
) -> Record:
    """Measure a published program again.

    Args:
        library: the program's.
        file: the program, as its record names it.
        executor: runs draws and episodes.
        tick: called after each episode.

    Raises:
        TaskError: if the program would be refused now.
    """
    source = library.program(file)
    name = gate(source).class_name
    program: Program = Sandboxed(name, source, trust.is_weak(library.root))
    if is_hand_written(file):
        program = HandWritten(name, file)
    survey = check.survey_in(executor, program, source)
    certificate = validate.certify(program, survey.bounds, survey.redraws, executor, tick)
    return Candidate(source, survey, certificate, file).record


def regenerate(
    library: Library,
    hand_written: Path | None,
    names: Sequence[str] = (),
    *,
    workers: int | None = None,
    report: Report = lambda line: None,
) -> bool:
    """Rebuild records from the programs.

    Args:
        library: whose records.
        hand_written: folder of the suite's own tasks, for the suite's own library.
        names: class names of the tasks; all of them if there are none.
        workers: number of processes; by default one for each core.
        report: called with a line for each task.

    Returns:
        Whether registry.json changed.

    Raises:
        TaskError: if a task would be refused now; nothing is written.
        LibraryError: if a program lacks its provenance or the reverse, or a record's program is
            not here, so that its record cannot be judged; nothing is written.
    """
    programs = _programs(library, hand_written)
    _check_programs(library, programs)
    files = {Path(file).stem: file for file in programs}
    records: dict[str, Record] = {}
    if names:
        chosen = {snake_case(name): name for name in names}
        if unknown := chosen.keys() - files.keys():
            raise LibraryError(f"{library.root} has no program of {chosen[min(unknown)]}")
        records = {r.name: r for r in library.records() if snake_case(r.name) not in chosen}
        files = {stem: file for stem, file in files.items() if stem in chosen}
    with processes.processes(workers) as executor:
        for file in files.values():
            try:
                record = certify(library, file, executor)
            except TaskError as error:
                raise TaskError(f"{file}: {error}", cause=error.cause) from error
            solved = record.certificate["oracle"]
            report(f"{record.id}: the oracle solves {solved} of {len(CERTIFICATE)}")
            if record.name in records:
                other = records[record.name].file
                raise LibraryError(f"{other} and {file} both define {record.name}")
            records[record.name] = record
    return library.write_records(list(records.values()))


def _check_programs(library: Library, files: list[str]) -> None:
    """Check that no record would be dropped for lack of its program, which may be elsewhere."""
    stems = {Path(file).stem for file in files}
    try:
        records, broken = library.read()
    except LibraryError:
        return  # registry.json is damaged and names nothing; it is rewritten
    lost = [record.id for record in records if record.file not in files]
    own = any(record.hand_written for record in records if record.id in lost)
    lost += [each.id for each in broken if each.id and snake_case(class_of(each.id)) not in stems]
    if lost:
        remedy = (
            "Run gensim in the checkout that has these hand-written tasks"
            if own
            else "Restore their programs, or delete these tasks (gensim remove)"
        )
        names = ", ".join(lost[:20]) + (f" and {len(lost) - 20} more" if len(lost) > 20 else "")
        raise LibraryError(
            f"{library.registry} has records whose programs are missing here: {names}. {remedy}"
        )


def _programs(library: Library, hand_written: Path | None) -> list[str]:
    folder = library.root / "generated"
    programs = {path.stem for path in folder.glob("*.py")}
    provenances = {path.stem: path for path in (folder / "provenance").glob("*.json")}
    for stem in sorted(programs ^ provenances.keys()):
        missing = "program" if stem in provenances else "provenance"
        raise LibraryError(f"{folder}: {stem} has no {missing}. Restore it or remove the task")
    for path in provenances.values():
        read(path, dict[str, Any], root=library.root)
    own = [] if hand_written is None else sorted(hand_written.glob("[a-z]*.py"))
    return [f"gensim_envs/tasks/{path.name}" for path in own] + [
        f"generated/{stem}.py" for stem in sorted(programs)
    ]
