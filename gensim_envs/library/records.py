"""The records of a library, and their JSON in registry.json."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, get_origin, get_type_hints

from gensim_envs.errors import LibraryError
from gensim_envs.utils.naming import snake_case

CLASS_NAME = re.compile(r"[A-Z][A-Za-z0-9]*")
_ID = re.compile(rf"gensim/{CLASS_NAME.pattern}-v(0|[1-9][0-9]*)")
_FILE = re.compile(r"(gensim_envs/tasks|generated)/[a-z][a-z0-9_]*\.py")
_BOUNDS = {"items": 1, "places": 0, "targets": 1, "steps": 1}
"""Kinds of bounds, with the least value of each."""
_CERTIFICATE: dict[str, tuple[type[Any], float]] = {
    "oracle": (int, 1000), "steps": (float, 1000), "noop": (float, 1), "random": (int, 1000),
    "redraws": (float, 1), "blind": (float, 1), "blind_late": (float, 1), "reading": (bool, 1),
    "pixels": (int, 100_000), "contrast": (float, 1000),
}  # fmt: skip
"""Type and upper bound of each figure."""


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


_TYPES = {name: get_origin(hint) or hint for name, hint in get_type_hints(Record).items()}


def parse_record(data: Any) -> Record:
    """Return the record that a JSON object describes.

    Raises:
        LibraryError: naming the record and the first field that is wrong.
    """
    if not isinstance(data, dict):
        raise LibraryError(f"record {data!r:.60} is not an object")
    name = f"record {data.get('id')!r:.60}"
    if set(data) != set(_TYPES):
        odd = sorted(set(data) ^ set(_TYPES))[0]
        raise LibraryError(f"{name}: {odd!r:.60} is {'missing' if odd in _TYPES else 'unknown'}")
    for key, kind in _TYPES.items():
        value = data[key]
        if type(value) is not kind or (isinstance(value, str) and not value.isprintable()):
            raise LibraryError(f"{name}: {key} is {value!r:.60}")
    if not is_id(data["id"]):
        raise LibraryError(f"{name}: an id is gensim/<ClassName>-v<N>")
    if not _FILE.fullmatch(data["file"]):
        raise LibraryError(f"{name}: file is {data['file']!r:.60}, not generated/<name>.py")
    bounds = data["bounds"]
    if set(bounds) != set(_BOUNDS) or not all(
        type(bounds[kind]) is int and bounds[kind] >= least for kind, least in _BOUNDS.items()
    ):
        raise LibraryError(f"{name}: bounds are {bounds!r:.80}")
    if data["max_episode_steps"] < 1:
        raise LibraryError(f"{name}: max_episode_steps is {data['max_episode_steps']}")
    for key, value in data["certificate"].items():
        # Until all records have been measured again, figures may be missing.
        kind, most = _CERTIFICATE.get(key, (None, 0.0))
        if kind is None or type(value) is not kind or not abs(value) <= most:
            raise LibraryError(f"{name}: its certificate's {key!r:.60} is {value!r:.60}")
    return Record(**data)


def dump_records(records: Sequence[Record]) -> str:
    """Return the text of registry.json: one record a line, sorted by id."""
    ordered = sorted(records, key=lambda record: record.id)
    encode = json.JSONEncoder(ensure_ascii=False).encode
    lines = ",\n".join(encode(vars(record)) for record in ordered)
    return '{"tasks": [\n' + lines + ("\n" if lines else "") + "]}\n"


def is_id(text: object) -> bool:
    """Whether this is the id of a task: `gensim/<ClassName>-v<N>`."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def is_hand_written(file: str) -> bool:
    """Whether a record's file is one of the suite's own tasks."""
    return file.startswith("gensim_envs/tasks/")


def file_of(name: str) -> str:
    """The file of a generated task, below the library's folder, given its class name."""
    return f"generated/{snake_case(name)}.py"


def digest(source: str) -> str:
    """The sha256 that a record keeps of its program."""
    return hashlib.sha256(source.encode()).hexdigest()
