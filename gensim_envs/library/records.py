"""The records of a library, and their JSON in registry.json."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from gensim_envs.errors import LibraryError
from gensim_envs.utils.decode import DecodeError, Line, Range, Size, Using, decode
from gensim_envs.utils.naming import snake_case

CLASS_NAME = re.compile(r"[A-Z][A-Za-z0-9]*")
_ID = re.compile(rf"gensim/{CLASS_NAME.pattern}-v(0|[1-9][0-9]*)")
_FILE = re.compile(r"(gensim_envs/tasks|generated)/[a-z][a-z0-9_]*\.py")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_Line = Annotated[str, Line(), Size(0, 1000)]
_Count = Annotated[int, Range(1, 10_000)]  # more is a forgery that would fill the memory
_Share = Annotated[float, Range(-1, 1)]
_BOUNDS: dict[str, Any] = {
    "items": _Count, "places": Annotated[int, Range(0, 10_000)], "targets": _Count, "steps": _Count,
}  # fmt: skip
_CERTIFICATE: dict[str, Any] = {
    "oracle": Annotated[int, Range(0, 1000)], "steps": Annotated[float, Range(0, 1000)],
    "noop": _Share, "random": Annotated[int, Range(0, 1000)], "redraws": _Share, "blind": _Share,
    "blind_late": _Share, "reading": bool, "pixels": Annotated[int, Range(0, 100_000)],
    "contrast": Annotated[float, Range(0, 1000)],
}  # fmt: skip


def _figures(kinds: dict[str, Any], *, all_of_them: bool) -> Using:
    """Read an object of figures, each of its own type."""

    def read(data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise DecodeError("expected an object")
        for name in data:
            if name not in kinds:
                raise DecodeError(f"{name!r:.60} is unknown")
        for name in kinds:
            if all_of_them and name not in data:
                raise DecodeError(f"{name!r} is missing")
        return {name: decode(kinds[name], value) for name, value in data.items()}

    return Using(read)


@dataclass(frozen=True)
class Record:
    """The published properties of a task, all determined by program, seeds and suite version.

    Attributes:
        id: for `gym.make`.
        file: the program, below the library's folder; a hand-written one is below the package's.
        sha256: of the program's bytes.
        summary: first line of the task's docstring.
        instruction: the first goal's instruction in the first draw.
        bounds: upper bounds on "items", "places", "targets" and "steps".
        max_episode_steps: after which an episode is truncated.
        certificate: successes of the oracle and of policies that must fail.
    """

    id: _Line
    file: _Line
    sha256: _Line
    summary: _Line
    instruction: _Line
    bounds: Annotated[dict[str, int], _figures(_BOUNDS, all_of_them=True)]
    max_episode_steps: _Count
    # Until all records have been measured again, figures may be missing.
    certificate: Annotated[dict[str, Any], _figures(_CERTIFICATE, all_of_them=False)]

    @property
    def name(self) -> str:
        """Class name of the task."""
        return class_of(self.id)

    @property
    def hand_written(self) -> bool:
        """Whether it is one of the suite's own tasks, which need no sandbox."""
        return is_hand_written(self.file)


def parse_record(data: Any) -> Record:
    """Return the record that a JSON object describes.

    Raises:
        LibraryError: naming the record and the first field that is wrong.
    """
    id = data.get("id") if isinstance(data, dict) else None
    what = f"record {id!r:.60}" if isinstance(id, str) else "a record"
    try:
        record = decode(Record, data)
        if not is_id(record.id):
            raise DecodeError("an id is gensim/<ClassName>-v<N>")
        if not _FILE.fullmatch(record.file):
            raise DecodeError(f"file is {record.file!r:.60}, not generated/<name>.py")
        if not _SHA256.fullmatch(record.sha256):
            raise DecodeError(f"sha256 is {record.sha256!r:.60}, not 64 hexadecimal digits")
    except DecodeError as error:
        raise LibraryError(f"{what}: {error}") from None
    return record


def dump_records(records: Sequence[Record]) -> str:
    """Return the text of registry.json: one record a line, sorted by id."""
    ordered = sorted(records, key=lambda record: record.id)
    encode = json.JSONEncoder(ensure_ascii=False).encode
    lines = ",\n".join(encode(vars(record)) for record in ordered)
    return '{"tasks": [\n' + lines + ("\n" if lines else "") + "]}\n"


def is_id(text: object) -> bool:
    """Whether this is the id of a task: `gensim/<ClassName>-v<N>`."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def class_of(id: str) -> str:
    """The class name in the id of a task."""
    return id.removeprefix("gensim/").rpartition("-v")[0]


def is_hand_written(file: str) -> bool:
    """Whether a record's file is one of the suite's own tasks."""
    return file.startswith("gensim_envs/tasks/")


def file_of(name: str) -> str:
    """The file of a generated task, below the library's folder, given its class name."""
    return f"generated/{snake_case(name)}.py"


def digest(source: str) -> str:
    """The sha256 that a record keeps of its program."""
    return hashlib.sha256(source.encode()).hexdigest()
