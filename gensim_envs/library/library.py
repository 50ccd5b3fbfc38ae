"""A library on disk: a folder with `registry.json` and `generated/`.

registry.json                     one record for each task, a line each
generated/<name>.py               accepted programs
generated/provenance/<name>.json  who wrote it, when, with what
generated/completions/<name>.md   the model's answer that it came from
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gensim_envs.errors import FileError, LibraryError, files_as
from gensim_envs.library import journal
from gensim_envs.library.records import (
    Record,
    digest,
    dump_records,
    file_of,
    is_hand_written,
    is_id,
    parse_record,
)
from gensim_envs.library.renaming import rename_class
from gensim_envs.utils import files as disk
from gensim_envs.utils.decode import DecodeError, parse, read
from gensim_envs.utils.files import leftovers, locked, remove, write

_PACKAGE = Path(__file__).resolve().parent.parent
_SHIPPED = _PACKAGE / "shipped"
_REGISTRY, _PROGRAM = 2**26, 2**20  # most bytes of registry.json and of a program
_RECORDS = 10_000  # in a registry.json


@dataclass(frozen=True)
class Broken:
    """A record that cannot be used.

    Attributes:
        id: as far as it could be read, else None.
        problem: what is wrong with it.
    """

    id: str | None
    problem: str


class Library:
    """A folder of tasks.

    Args:
        root: the folder; it need not exist until something is published.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def at(cls, path: str | os.PathLike[str]) -> Library:
        """The library at a path, which may begin with `~`."""
        return cls(disk.absolute(path))

    @classmethod
    def of(cls, root: str | None) -> Library:
        """The library of a registered task, whose `gym.EnvSpec` has the folder; None is our own."""
        return shipped() if root is None else cls(Path(root))

    @property
    def registry(self) -> Path:
        """The file of records."""
        return self.root / "registry.json"

    # --- reading --------------------------------------------------------------------------------

    def read(self) -> tuple[list[Record], list[Broken]]:
        """Return all records, and those that are broken.

        Raises:
            LibraryError: registry.json cannot be read.
        """
        if not os.path.lexists(self.registry):
            return [], []
        with files_as(LibraryError):
            data = read(self.registry, Any, limit=_REGISTRY)
        if not isinstance(data, dict) or not isinstance(data.get("tasks"), list):
            raise LibraryError(f'{self.registry}: expected {{"tasks": [...]}}')
        if len(data["tasks"]) > _RECORDS:
            raise LibraryError(f"{self.registry} has more than {_RECORDS} records")
        records: list[Record] = []
        broken: list[Broken] = []
        seen: set[str] = set()
        for entry in data["tasks"]:
            try:
                record = parse_record(entry)
                if record.id in seen:
                    raise LibraryError(f"record {record.id!r}: duplicate id")
            except LibraryError as error:
                name = entry.get("id") if isinstance(entry, dict) else None
                valid = is_id(name) and name not in seen
                broken.append(Broken(name if valid else None, f"{self.registry}: {error}"))
            else:
                records.append(record)
            if isinstance(entry, dict):
                seen.add(str(entry.get("id")))
        return records, broken

    def records(self) -> list[Record]:
        """Return all records that can be used."""
        return self.read()[0]

    def record(self, id: str) -> Record:
        """Return the record of an id.

        Raises:
            LibraryError: there is none.
        """
        for record in self.records():
            if record.id == id:
                return record
        raise LibraryError(f"{self.registry} has no record {id!r}")

    def program_path(self, file: str) -> Path:
        """The path of a program, given a record's `file`."""
        return (_PACKAGE.parent if is_hand_written(file) else self.root) / file

    def program(self, file: str) -> str:
        """Return a program as it is on disk, given a record's `file`.

        Raises:
            LibraryError: the file is missing or is not UTF-8.
        """
        path = self.program_path(file)
        try:
            with files_as(LibraryError):
                root = None if is_hand_written(file) else self.root
                return disk.read(path, root=root, limit=_PROGRAM).decode()
        except UnicodeDecodeError as error:
            raise LibraryError(f"{path} is not encoded as UTF-8: {error.reason}") from error

    def source(self, record: Record) -> str:
        """Return a record's program, verified.

        Raises:
            LibraryError: the file is missing or is not the one that was published.
        """
        try:
            source = self.program(record.file)
        except LibraryError as error:
            raise LibraryError(f"{record.id}: {error}") from error
        if digest(source) != record.sha256:
            raise LibraryError(
                f"{record.id}: {self.program_path(record.file)} is not the program that was "
                "published (its sha256 differs). Restore it, or publish it anew"
            )
        return source

    def provenance(self, record: Record) -> dict[str, Any]:
        """Return the provenance of a record, or {} if it cannot be read."""
        try:
            origin = parse(self._bytes(_provenance(record.file)) or b"{}")
        except (FileError, DecodeError):
            return {}
        return origin if isinstance(origin, dict) else {}

    def run_of(self, record: Record) -> str:
        """The id of the run that published a record, or "" where that is not known."""
        return str(self.provenance(record).get("run", ""))

    def _bytes(self, name: str) -> bytes | None:
        """The content of a file below the library's folder; None where there is nothing."""
        path = self.root / name
        return disk.read(path, root=self.root) if os.path.lexists(path) else None

    # --- writing --------------------------------------------------------------------------------

    def publish(
        self, record: Record, source: str, provenance: dict[str, Any], completion: str | None
    ) -> None:
        """Add a task, wholly or not at all.

        Raises:
            LibraryError: the task cannot be added; see `others`.
            FileError: a file cannot be written.
        """
        files = _files(record.file, source, completion)
        files[_provenance(record.file)] = _dumps(provenance)
        with self._writing():
            records = self.others(record.name, record.file, source, completion)
            new = {name: data for name, data in files.items() if self._bytes(name) is None}
            self._change([*records, record], new)

    def remove(self, id: str) -> Record:
        """Delete a generated task: its record, program, completion and provenance.

        Returns:
            The record that was deleted.

        Raises:
            LibraryError: there is no such record, it is one of the suite's own tasks, or a record
                is broken.
            FileError: a file cannot be written.
        """
        with self._writing():
            record = self._generated(id, "removed")
            rest = [other for other in self._sound_records() if other.id != id]
            self._change(rest, {}, delete=_task_files(record.file))
        return record

    def rename(self, id: str, new_name: str) -> Record:
        """Give a generated task another class name, and its id and files the names that follow.

        The completion keeps its text. The provenance lists former ids under "renamed_from".

        Args:
            id: of the task.
            new_name: the new class name, in CamelCase.

        Returns:
            The new record, with the old certificate.

        Raises:
            LibraryError: there is no such record, it is one of the suite's own tasks, the name is
                taken or cannot be used, or a record or program is broken.
            TaskError: the gate refuses the renamed program.
            FileError: a file cannot be written.
        """
        with self._writing():
            old = self._generated(id, "renamed")
            source = rename_class(self.source(old), old.name, new_name)
            new = replace(
                old,
                id=old.id.replace(old.name, new_name),
                file=file_of(new_name),
                sha256=digest(source),
            )
            others = self.others(new.name, new.file, source, None)
            origin = self.provenance(old)
            origin["renamed_from"] = [*origin.get("renamed_from", []), old.id]
            files = {**_files(new.file, source, None), _provenance(new.file): _dumps(origin)}
            completion = self._bytes(_completion(old.file))
            if completion is not None:
                files[_completion(new.file)] = completion
            records = [new if record == old else record for record in others]
            self._change(records, files, delete=_task_files(old.file))
        return new

    def write_records(self, records: Sequence[Record]) -> bool:
        """Replace all records; return False where that changes nothing."""
        with self._writing():
            if self._bytes(self.registry.name) == dump_records(records).encode():
                return False
            self._change(records, {})
            return True

    def others(self, name: str, file: str, source: str, completion: str | None) -> list[Record]:
        """Return all records after checking that a new task can be added.

        Args:
            name: class name of the task.
            file: where its program goes.
            source: its program.
            completion: the answer that it came from.

        Raises:
            LibraryError: the task is there already, another file is in its place, or a record is
                broken.
        """
        records = self._sound_records()
        for record in records:
            if record.name == name or record.file == file:
                if record.sha256 == digest(source):
                    raise LibraryError(f"{record.id} is already published, and is the same program")
                raise LibraryError(
                    f"{record.id} is already in {self.registry}. Choose another class name, or "
                    "remove that task first (gensim remove)"
                )
        wanted = {_provenance(file): None, **_files(file, source, completion)}
        for path, data in wanted.items():
            if self._bytes(path) not in (None, data):
                raise LibraryError(
                    f"{self.root / path} exists, but no record refers to it. Delete it, or run "
                    "gensim regenerate if it belongs to a task of this library"
                )
        return records

    def _sound_records(self) -> list[Record]:
        """Return all records, of which none may be broken: a change would drop it."""
        records, broken = self.read()
        if broken:
            raise LibraryError(f"{broken[0].problem}. Repair or delete this record first")
        return records

    def _generated(self, id: str, verb: str) -> Record:
        record = self.record(id)
        if record.hand_written:
            raise LibraryError(f"{id} is one of the suite's own tasks, which cannot be {verb}")
        return record

    def _change(
        self, records: Sequence[Record], files: dict[str, bytes], delete: Sequence[str] = ()
    ) -> None:
        """Replace the records and files of tasks, all of it or nothing; see `journal`."""
        for record in records:
            parse_record(vars(record))  # what could not be read again must not be written
        try:
            journal.begin(self.root, [*files, *delete])
            for name, data in files.items():
                write(self.root / name, data, self.root)
            write(self.registry, dump_records(records).encode())
        finally:
            self._recover()

    def recover(self) -> None:
        """Complete or undo a change that was interrupted.

        Does nothing while another process writes, or where this one may not.
        """
        if (journal.exists(self.root) or self._leftovers()) and os.access(self.root, os.W_OK):
            busy = FileError(f"another process writes {self.root}")
            with contextlib.suppress(FileError), locked(self.root, busy):
                self._recover()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Take the write lock and recover an interrupted change."""
        with locked(self.root):
            self._recover()
            yield

    def _recover(self) -> None:
        for path in self._leftovers():
            remove(path)
        if journal.exists(self.root):
            records, broken = self.read()
            if not broken:
                journal.clean_up(self.root, (r.file for r in records if not r.hand_written))

    def _leftovers(self) -> list[Path]:
        return [*leftovers(self.registry), *leftovers(self.root / journal.NAME)]


def _files(file: str, source: str, completion: str | None) -> dict[str, bytes]:
    """A task's program and completion: {path below the library's folder: content}."""
    files = {file: source.encode()}
    if completion is not None:
        files[_completion(file)] = completion.encode(errors="replace")
    return files


def _task_files(file: str) -> list[str]:
    """All files of a task, below the library's folder."""
    return [file, _completion(file), _provenance(file)]


def _completion(file: str) -> str:
    return f"generated/completions/{Path(file).stem}.md"


def _provenance(file: str) -> str:
    return f"generated/provenance/{Path(file).stem}.json"


def _dumps(provenance: dict[str, Any]) -> bytes:
    return json.dumps(provenance, indent=2, ensure_ascii=False).encode() + b"\n"


def shipped() -> Library:
    """The suite's own library: inside an installed wheel, else the root of the checkout."""
    return Library(_SHIPPED if _SHIPPED.exists() else _PACKAGE.parent)


def is_shipped(library: Library) -> bool:
    """Whether a library is the suite's own."""
    return Library.at(library.root).root == shipped().root


def in_checkout() -> bool:
    """Whether the suite's own library is a checkout, into which tasks may be published."""
    return not _SHIPPED.exists() and (_PACKAGE.parent / "pyproject.toml").exists()
