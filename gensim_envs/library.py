"""A library on disk: a folder with `registry.json` and `generated/`; read, verify, publish.

registry.json                     one row for each task, a line each
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
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

REGISTRY = "registry.json"
_PACKAGE = Path(__file__).resolve().parent
_SHIPPED = _PACKAGE / "shipped"
_JOURNAL = ".publishing"
_LOCK = ".lock"
_ID = re.compile(r"gensim/([A-Z][A-Za-z0-9]*)-v(\d+)")


class LibraryError(Exception):
    """A library, or a row or file of it, is not as it should be; the message names it."""


@dataclass(frozen=True)
class Row:
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
    """Whether a row's file is one of the suite's own tasks."""
    return file.startswith("gensim_envs/tasks/")


_TYPES: dict[str, type] = {
    "id": str, "file": str, "sha256": str, "summary": str, "instruction": str, "bounds": dict,
    "max_episode_steps": int, "certificate": dict,
}  # fmt: skip


def parse_row(data: Any) -> Row:
    """A row from JSON.

    Raises:
        LibraryError: naming what is wrong with it.
    """
    if not isinstance(data, dict):
        raise LibraryError(f"row {data!r:.60} is no object")
    for name, kind in _TYPES.items():
        if type(data.get(name)) is not kind:
            raise LibraryError(f"row {data.get('id')!r:.60}: {name} is {data.get(name)!r:.60}")
    if not _ID.fullmatch(data["id"]):
        raise LibraryError(f"row {data['id']!r:.60}: an id is gensim/<ClassName>-v<N>")
    if not all(type(data["bounds"].get(k)) is int for k in ("items", "targets", "steps")):
        raise LibraryError(f"row {data['id']!r}: bounds are {data['bounds']!r:.80}")
    file = Path(data["file"])
    if file.is_absolute() or ".." in file.parts or file.suffix != ".py":
        raise LibraryError(f"row {data['id']!r}: file is {data['file']!r:.60}")
    if set(data) != set(_TYPES):
        raise LibraryError(f"row {data['id']!r}: unknown {sorted(set(data) - set(_TYPES))}")
    return Row(**data)


def digest(source: str) -> str:
    """The sha256 that a row keeps."""
    return hashlib.sha256(source.encode()).hexdigest()


@dataclass(frozen=True)
class Broken:
    """A row that cannot be used.

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
        """The file of rows."""
        return self.root / REGISTRY

    def read(self) -> tuple[list[Row], list[Broken]]:
        """All rows, and those that are broken.

        Raises:
            LibraryError: where the file itself cannot be read.
        """
        try:
            data = json.loads(self.registry.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return [], []
        except (OSError, ValueError) as error:
            raise LibraryError(f"{self.registry}: {error}") from error
        if not isinstance(data, dict) or not isinstance(data.get("tasks"), list):
            raise LibraryError(f'{self.registry}: expected {{"tasks": [...]}}')
        rows: list[Row] = []
        broken: list[Broken] = []
        seen: set[str] = set()
        for entry in data["tasks"]:
            try:
                row = parse_row(entry)
                if row.id in seen:
                    raise LibraryError(f"row {row.id!r}: it is there twice")
            except LibraryError as error:
                name = entry.get("id") if isinstance(entry, dict) else None
                valid = isinstance(name, str) and _ID.fullmatch(name) and name not in seen
                broken.append(Broken(name if valid else None, f"{self.registry}: {error}"))
            else:
                rows.append(row)
            if isinstance(entry, dict):
                seen.add(str(entry.get("id")))
        return rows, broken

    def rows(self) -> list[Row]:
        """All good rows."""
        return self.read()[0]

    def row(self, id: str) -> Row:
        """The row of an id.

        Raises:
            LibraryError: where there is none.
        """
        for row in self.rows():
            if row.id == id:
                return row
        raise LibraryError(f"{self.registry} has no row {id!r}")

    def program_path(self, file: str) -> Path:
        """Where a program is, given a row's `file`."""
        return (_PACKAGE.parent if is_hand_written(file) else self.root) / file

    def source(self, row: Row) -> str:
        """A row's program, verified.

        Raises:
            LibraryError: where the file is missing or is not what was published.
        """
        path = self.program_path(row.file)
        try:
            source = path.read_bytes()
        except OSError as error:
            raise LibraryError(f"{row.id}: {path} cannot be read: {error.strerror}") from error
        if hashlib.sha256(source).hexdigest() != row.sha256:
            raise LibraryError(
                f"{row.id}: {path} is not the program that was published (its sha256 differs). "
                "Restore it, or publish it anew"
            )
        return source.decode()

    def provenance(self, row: Row) -> Path:
        """Where a row's provenance is."""
        return self.root / "generated" / "provenance" / f"{Path(row.file).stem}.json"

    def publish(
        self, row: Row, source: str, provenance: dict[str, Any], completion: str | None
    ) -> None:
        """Add a task, or replace its row; whole or not at all, whatever happens meanwhile.

        A journal names the new files before they are written and goes after the row, which comes
        last; `recover` undoes what a journal without a row has left.

        Raises:
            LibraryError: where the disk does not take it.
        """
        stem = Path(row.file).stem
        files = {row.file: source}
        files[f"generated/provenance/{stem}.json"] = dumps(provenance) + "\n"
        if completion is not None:
            files[f"generated/completions/{stem}.md"] = completion
        with self._locked():
            self._recover()
            rows = [old for old in self.rows() if old.name != row.name]
            new = [name for name in files if not (self.root / name).exists()]
            _write(self.root / _JOURNAL, dumps({"id": row.id, "files": new}))
            try:
                for name, text in files.items():
                    _write(self.root / name, text)
                self._write_rows([*rows, row])
            except LibraryError:
                self._recover()
                raise
            (self.root / _JOURNAL).unlink()

    def write_rows(self, rows: Sequence[Row]) -> bool:
        """Replace all rows; False where that changes nothing."""
        with self._locked():
            self._recover()
            return self._write_rows(rows)

    def _write_rows(self, rows: Sequence[Row]) -> bool:
        text = dump_rows(rows)
        if self.registry.exists() and self.registry.read_text(encoding="utf-8") == text:
            return False
        _write(self.registry, text)
        return True

    def recover(self) -> None:
        """Finish or undo a publishing that was killed; a no-op while another is at work."""
        if (self.root / _JOURNAL).exists() and os.access(self.root, os.W_OK):
            with contextlib.suppress(BlockingIOError), self._locked(wait=False):
                self._recover()

    def _recover(self) -> None:
        journal = self.root / _JOURNAL
        if not journal.exists():
            return
        try:
            entry = json.loads(journal.read_text(encoding="utf-8"))
            if entry["id"] not in {row.id for row in self.rows()}:
                for name in entry["files"]:
                    (self.root / name).unlink(missing_ok=True)
        except (ValueError, KeyError, TypeError) as error:
            raise LibraryError(
                f"{journal} is damaged: {error}. Look at it and delete it"
            ) from error
        for stray in [*self.root.glob(".*.new"), *self.root.glob("generated/**/.*.new")]:
            stray.unlink(missing_ok=True)
        journal.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _locked(self, wait: bool = True) -> Iterator[None]:
        """One writer at a time; the lock goes with its process, however that ends."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            lock = open(self.root / _LOCK, "w", encoding="utf-8")  # noqa: SIM115
        except OSError as error:
            raise LibraryError(f"{self.root} cannot be written: {error.strerror}") from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            yield


def dumps(data: Any) -> str:
    """JSON for people and for diffs."""
    return json.dumps(data, indent=2, ensure_ascii=False)


def dump_rows(rows: Sequence[Row]) -> str:
    """The text of a registry: sorted by id, a row a line."""
    ordered = sorted(rows, key=lambda row: row.id)
    lines = ",\n".join(json.dumps(asdict(row), ensure_ascii=False) for row in ordered)
    return '{"tasks": [\n' + lines + ("\n" if lines else "") + "]}\n"


def _write(path: Path, text: str) -> None:
    """Replace a file in one step, after its bytes have reached the disk."""
    new = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(new, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)
        why = "the disk is full" if error.errno == errno.ENOSPC else error.strerror
        raise LibraryError(f"{path} could not be written: {why}") from error


def shipped() -> Library:
    """The suite's own library: inside an installed wheel, else the root of the checkout."""
    return Library(_SHIPPED if _SHIPPED.exists() else _PACKAGE.parent)


def in_checkout() -> bool:
    """Whether the suite's own library is a checkout, into which tasks may be published."""
    return not _SHIPPED.exists() and (_PACKAGE.parent / "pyproject.toml").exists()
