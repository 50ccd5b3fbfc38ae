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
_BOUNDS = {"items", "targets", "steps"}
_Line = Annotated[str, Line(), Size(0, 1000)]
_Count = Annotated[int, Range(1, 10_000)]  # more is a forgery that would fill the memory


def _figures(data: Any) -> dict[str, Any]:
    """A certificate: figures by name, as numbers, short texts, and lists or objects of those."""
    if not isinstance(data, dict):
        raise DecodeError("expected an object")
    parts = [data]
    for each in parts:  # which grows
        if isinstance(each, dict | list):
            parts += [*each, *each.values()] if isinstance(each, dict) else each
        elif isinstance(each, str):
            decode(_Line, each)
        elif each is not None:
            decode(_Figure, each)
        if len(parts) > 1000:
            raise DecodeError("it has over 1,000 figures")
    return data


_Figure = bool | Annotated[float, Range(-1e9, 1e9)]


@dataclass(frozen=True)
class Record:
    """The published properties of a task, all determined by program, seeds and suite version.

    Attributes:
        id: for `gym.make`.
        file: the program, below the library's folder; a hand-written one is below the package's.
        sha256: of the program's bytes.
        summary: first line of the task's docstring.
        instruction: the first goal's instruction in the first draw.
        bounds: upper bounds on "items", "targets" and "steps".
        max_episode_steps: after which an episode is truncated.
        certificate: successes of the oracle and of policies that must fail.
    """

    id: _Line
    file: _Line
    sha256: _Line
    summary: _Line
    instruction: _Line
    bounds: dict[str, _Count]
    max_episode_steps: _Count
    certificate: Annotated[dict[str, Any], Using(_figures)]

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
        if set(record.bounds) != _BOUNDS:
            raise DecodeError(f"bounds are of {sorted(record.bounds)!r:.60}, not of {_BOUNDS}")
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
