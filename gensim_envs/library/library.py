"""A library on disk: a folder with `registry.json` and `generated/`; read, verify, publish.

registry.json                     one record for each task, a line each
generated/<name>.py               accepted programs
generated/provenance/<name>.json  who wrote it, when, with what
generated/completions/<name>.md   the model's answer that it came from
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gensim_envs.errors import LibraryError

REGISTRY = "registry.json"
_PACKAGE = Path(__file__).resolve().parent.parent
_SHIPPED = _PACKAGE / "shipped"
_JOURNAL = ".publishing"
_ID = re.compile(r"gensim/[A-Z][A-Za-z0-9]*-v(0|[1-9][0-9]*)")
_FILE = re.compile(r"(gensim_envs/tasks|generated)/[a-z][a-z0-9_]*\.py")
_WRITTEN = re.compile(r"generated/(provenance/|completions/)?[a-z][a-z0-9_]*\.(py|json|md)")
_BOUNDS = {"items", "targets", "steps"}


@dataclass(frozen=True)
class Record:
    """What program, seeds and suite version determine about a task.

    Attributes:
        id: for `gym.make`.
        file: the program, below the library's folder; a hand-written one is below the package's.
        sha256: of the program's bytes.
        summary: first line of the task's docstring.
        instruction: the first goal's sentence in the first draw.
        bounds: upper bounds on "items", "targets" and "steps".
        max_episode_steps: after which an episode is truncated.
        certificate: successes of the oracle and of policies that must fail.
    """

    id: str
    file: str
    sha256: str
    summary: str
    instruction: str
    bounds: dict[str, int]
    max_episode_steps: int
    certificate: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Class name of the task."""
        return self.id.removeprefix("gensim/").rpartition("-v")[0]

    @property
    def hand_written(self) -> bool:
        """Whether it is one of the suite's own tasks, which need no sandbox."""
        return is_hand_written(self.file)


def is_hand_written(file: str) -> bool:
    """Whether a record's file is one of the suite's own tasks."""
    return file.startswith("gensim_envs/tasks/")


_TYPES: dict[str, type] = {
    "id": str, "file": str, "sha256": str, "summary": str, "instruction": str, "bounds": dict,
    "max_episode_steps": int, "certificate": dict,
}  # fmt: skip


def parse_record(data: Any) -> Record:
    """A record from JSON.

    Raises:
        LibraryError: naming what is wrong with it.
    """
    if not isinstance(data, dict):
        raise LibraryError(f"record {data!r:.60} is no object")
    name = f"record {data.get('id')!r:.60}"
    if set(data) != set(_TYPES):
        odd = sorted(set(data) ^ set(_TYPES))[0]
        raise LibraryError(f"{name}: {odd!r:.60} is {'missing' if odd in _TYPES else 'unknown'}")
    for key, kind in _TYPES.items():
        value = data[key]
        if type(value) is not kind or (isinstance(value, str) and not value.isprintable()):
            raise LibraryError(f"{name}: {key} is {value!r:.60}")
    if not _ID.fullmatch(data["id"]):
        raise LibraryError(f"{name}: an id is gensim/<ClassName>-v<N>")
    if not _FILE.fullmatch(data["file"]):
        raise LibraryError(f"{name}: file is {data['file']!r:.60}, not generated/<name>.py")
    bounds = data["bounds"]
    if set(bounds) != _BOUNDS or not all(type(n) is int and n > 0 for n in bounds.values()):
        raise LibraryError(f"{name}: bounds are {bounds!r:.80}")
    if data["max_episode_steps"] < 1:
        raise LibraryError(f"{name}: max_episode_steps is {data['max_episode_steps']}")
    return Record(**data)


def digest(source: str) -> str:
    """The sha256 that a record keeps."""
    return hashlib.sha256(source.encode()).hexdigest()


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

    @property
    def registry(self) -> Path:
        """The file of records."""
        return self.root / REGISTRY

    def read(self) -> tuple[list[Record], list[Broken]]:
        """All records, and those that are broken.

        Raises:
            LibraryError: where the file itself cannot be read.
        """
        try:
            data = json.loads(self.registry.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return [], []
        except OSError as error:
            raise LibraryError(f"{self.registry} cannot be read: {error.strerror}") from error
        except (ValueError, RecursionError) as error:
            raise LibraryError(f"{self.registry} is no JSON: {error}") from error
        if not isinstance(data, dict) or not isinstance(data.get("tasks"), list):
            raise LibraryError(f'{self.registry}: expected {{"tasks": [...]}}')
        records: list[Record] = []
        broken: list[Broken] = []
        seen: set[str] = set()
        for entry in data["tasks"]:
            try:
                record = parse_record(entry)
                if record.id in seen:
                    raise LibraryError(f"record {record.id!r}: it is there twice")
            except LibraryError as error:
                name = entry.get("id") if isinstance(entry, dict) else None
                valid = isinstance(name, str) and _ID.fullmatch(name) and name not in seen
                broken.append(Broken(name if valid else None, f"{self.registry}: {error}"))
            else:
                records.append(record)
            if isinstance(entry, dict):
                seen.add(str(entry.get("id")))
        return records, broken

    def records(self) -> list[Record]:
        """All good records."""
        return self.read()[0]

    def record(self, id: str) -> Record:
        """The record of an id.

        Raises:
            LibraryError: where there is none.
        """
        for record in self.records():
            if record.id == id:
                return record
        raise LibraryError(f"{self.registry} has no record {id!r}")

    def program_path(self, file: str) -> Path:
        """Where a program is, given a record's `file`."""
        return (_PACKAGE.parent if is_hand_written(file) else self.root) / file

    def program(self, file: str) -> str:
        """A program as it is on disk, given a record's `file`.

        Raises:
            LibraryError: where the file is missing or is no text.
        """
        path = self.program_path(file)
        try:
            return path.read_bytes().decode()
        except OSError as error:
            raise LibraryError(f"{path} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise LibraryError(f"{path} is no UTF-8 text: {error.reason}") from error

    def source(self, record: Record) -> str:
        """A record's program, verified.

        Raises:
            LibraryError: where the file is missing or is not what was published.
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

    def run_of(self, record: Record) -> str:
        """Id of the run that published a record, or "" where that is not known."""
        try:
            origin = json.loads((self.root / _provenance(record.file)).read_text(encoding="utf-8"))
            return str(origin.get("run", ""))
        except (OSError, ValueError, AttributeError, RecursionError):
            return ""

    def others(self, name: str, file: str, source: str, completion: str | None) -> list[Record]:
        """All records, where a new task may join them.

        Args:
            name: class name of the task.
            file: where its program goes.
            source: its program.
            completion: the answer that it came from.

        Raises:
            LibraryError: where it is there already, something else is in its place, or a record is
                broken.
        """
        records, broken = self.read()
        if broken:
            raise LibraryError(f"{broken[0].problem}. Mend or delete this record first")
        for record in records:
            if record.name == name or record.file == file:
                if record.sha256 == digest(source):
                    raise LibraryError(f"{record.id} is already published, and is the same program")
                raise LibraryError(
                    f"{record.id} is already in {self.registry}. Choose another class name, or "
                    "delete its record and its files first"
                )
        wanted = {_provenance(file): None, **_files(file, source, completion)}
        for path, data in wanted.items():
            if (self.root / path).exists() and (self.root / path).read_bytes() != data:
                raise LibraryError(
                    f"{self.root / path} is there without a record. Delete it, or run gensim "
                    "regenerate if it belongs to a task of this library"
                )
        return records

    def publish(
        self, record: Record, source: str, provenance: dict[str, Any], completion: str | None
    ) -> None:
        """Add a task; whole or not at all, whatever happens meanwhile.

        A journal names the new files before they are written and goes after the record, which comes
        last; `recover` undoes what a journal without a record has left.

        Raises:
            LibraryError: where the disk does not take it, or it may not join; see `others`.
        """
        files = _files(record.file, source, completion)
        files[_provenance(record.file)] = dumps(provenance).encode() + b"\n"
        with self._locked():
            self._recover()
            records = self.others(record.name, record.file, source, completion)
            new = [name for name in files if not (self.root / name).exists()]
            try:
                _write(self._journal, dumps({"id": record.id, "files": new}).encode())
                for name in new:
                    _write(self.root / name, files[name])
                parse_record(vars(record))  # what could not be read again must not be written
                self._write_records([*records, record])
            except BaseException:
                self._recover()
                raise
            self._journal.unlink()

    def write_records(self, records: Sequence[Record]) -> bool:
        """Replace all records; False where that changes nothing."""
        with self._locked():
            self._recover()
            for record in records:
                parse_record(vars(record))
            return self._write_records(records)

    def _write_records(self, records: Sequence[Record]) -> bool:
        data = dump_records(records).encode()
        if self.registry.exists() and self.registry.read_bytes() == data:
            return False
        _write(self.registry, data)
        return True

    def recover(self) -> None:
        """Undo a publishing that was killed; a no-op while another is at work."""
        left = (self._journal, _unfinished(self._journal), _unfinished(self.registry))
        if any(path.exists() for path in left) and os.access(self.root, os.W_OK):
            with contextlib.suppress(BlockingIOError), self._locked(wait=False):
                self._recover()

    @property
    def _journal(self) -> Path:
        return self.root / _JOURNAL

    def _recover(self) -> None:
        for path in (self._journal, self.registry):
            _unfinished(path).unlink(missing_ok=True)
        if not self._journal.exists():
            return
        try:
            entry = json.loads(self._journal.read_bytes())
            published = entry["id"] in {record.id for record in self.records()}
            for name in entry["files"]:
                # A library from elsewhere must not have files deleted that are not its own.
                if not _WRITTEN.fullmatch(name):
                    raise ValueError(f"{name!r:.60} is no file of a task")
                _unfinished(self.root / name).unlink(missing_ok=True)
                if not published:
                    (self.root / name).unlink(missing_ok=True)
        except (ValueError, KeyError, TypeError) as error:
            raise LibraryError(
                f"{self._journal} is damaged: {error}. Look at it and delete it"
            ) from error
        self._journal.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _locked(self, wait: bool = True) -> Iterator[None]:
        """One writer at a time; the lock goes with its process, however that ends."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            folder = os.open(self.root, os.O_RDONLY)
        except OSError as error:
            raise LibraryError(f"{self.root} cannot be written: {error.strerror}") from error
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            yield
        finally:
            os.close(folder)


def dumps(data: Any) -> str:
    """JSON for people and for diffs."""
    return json.dumps(data, indent=2, ensure_ascii=False)


def dump_records(records: Sequence[Record]) -> str:
    """The text of a registry: sorted by id, a record a line."""
    ordered = sorted(records, key=lambda record: record.id)
    encode = json.JSONEncoder(ensure_ascii=False).encode
    lines = ",\n".join(encode(vars(record)) for record in ordered)
    return '{"tasks": [\n' + lines + ("\n" if lines else "") + "]}\n"


def _files(file: str, source: str, completion: str | None) -> dict[str, bytes]:
    """A task's program and completion: {path below the library's folder: content}."""
    files = {file: source.encode()}
    if completion is not None:
        path = f"generated/completions/{Path(file).stem}.md"
        files[path] = completion.encode(errors="replace")
    return files


def _provenance(file: str) -> str:
    return f"generated/provenance/{Path(file).stem}.json"


def _unfinished(path: Path) -> Path:
    """Where the new content of a file is until it is whole."""
    return path.with_name(f".{path.name}.new")


def _write(path: Path, data: bytes) -> None:
    """Replace a file in one step, after its bytes have reached the disk."""
    new = _unfinished(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(new, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        why = "the disk is full" if error.errno == errno.ENOSPC else error.strerror
        raise LibraryError(f"{path} could not be written: {why}") from error


def shipped() -> Library:
    """The suite's own library: inside an installed wheel, else the root of the checkout."""
    return Library(_SHIPPED if _SHIPPED.exists() else _PACKAGE.parent)


def is_shipped(library: Library) -> bool:
    """Whether a library is the suite's own."""
    return library.root.resolve() == shipped().root


def in_checkout() -> bool:
    """Whether the suite's own library is a checkout, into which tasks may be published."""
    return not _SHIPPED.exists() and (_PACKAGE.parent / "pyproject.toml").exists()
