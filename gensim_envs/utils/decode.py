"""Turn JSON from anywhere into typed data, or say in one line where it is wrong.

`parse` reads the text within limits; `decode` checks the value against a type and builds it. Both
raise `DecodeError` and nothing else, whatever the input.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import sys
import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from gensim_envs.errors import FileError
from gensim_envs.printing import printable
from gensim_envs.utils import files

T = TypeVar("T")

DEPTH = 40
"""Most levels of nested lists and objects."""
_DIGITS = 20  # of an integer; more may take long to read, and no figure of ours has as many


class DecodeError(ValueError):
    """Data are not of the expected form; the message says where and what was expected."""


@dataclass(frozen=True)
class Range:
    """Bounds of a number, both included; for `Annotated[float, Range(0, 1)]`."""

    least: float
    most: float = sys.float_info.max


@dataclass(frozen=True)
class Size:
    """Bounds of the number of characters or entries; for `Annotated[tuple[X, ...], Size(1, 60)]`.

    Without it, a text has up to 10,000 characters, and a list or object up to 100,000 entries.
    """

    least: int
    most: int


@dataclass(frozen=True)
class Line:
    """A text of one printable line; for `Annotated[str, Line()]`."""


@dataclass(frozen=True)
class Using:
    """A function that builds the value and may raise ValueError; for `Annotated[X, Using(read)]`.

    Attributes:
        read: JSON value -> the value.
    """

    read: Callable[[Any], Any]


Text = Annotated[str, Size(0, 2**20)]
"""A text of any kind, such as a program or a model's answer, of up to a million characters."""


def parse(data: bytes | str, *, limit: int = 2**24, depth: int = DEPTH) -> Any:
    """Read JSON text.

    Args:
        data: the text; bytes are UTF-8.
        limit: most bytes or characters.
        depth: how deeply lists and objects may be nested.

    Raises:
        DecodeError: if it is not JSON, is too large or too deep, or has a number that is not
            finite or has too many digits, or text that is not Unicode.
    """
    if len(data) > limit:
        raise DecodeError(f"it is larger than {limit} bytes")
    try:
        value = json.loads(
            data, parse_int=_integer, parse_float=_float, parse_constant=_refuse_constant
        )
    except RecursionError:
        raise DecodeError("it is nested too deeply") from None
    except DecodeError:
        raise
    except ValueError as error:
        raise DecodeError(f"it is not valid JSON: {printable(str(error), 200)}") from None
    _check_plain(value, depth)
    return value


def read(path: Path, kind: type[T], *, root: Path | None = None, limit: int = 2**24) -> T:
    """Read a JSON file as a value of a type.

    Args:
        path: the file.
        kind: the type, as for `decode`.
        root: see `files.read`.
        limit: most bytes of the file.

    Raises:
        FileError: if the file cannot be read or is not of this type; the message names the file.
    """
    try:
        return decode(kind, parse(files.read(path, root=root, limit=limit), limit=limit))
    except DecodeError as error:
        raise FileError(f"{path} is malformed: {error}") from error


def decode(kind: type[T], data: Any) -> T:
    """Build a value of a type from what `json.loads` gives.

    Args:
        kind: a dataclass, or any type that is made of dataclasses, `bool`, `int`, `float`, `str`,
            `None`, `Literal`, unions, `list`, `tuple`, `dict` with texts as keys, and `Any`.
            `Annotated` adds bounds. An integer is accepted where a float is expected.
        data: the value.

    Raises:
        DecodeError: naming the first place that is wrong, such as "goals[2].places: ...". Fields
            that are unknown or missing and have no default are wrong, too.
    """
    try:
        built: T = _value(kind, data)
    except DecodeError as error:
        raise DecodeError(str(error).removeprefix(".")) from None
    return built


_SCALARS: dict[Any, tuple[str, Callable[[Any], bool]]] = {
    bool: ("true or false", lambda data: isinstance(data, bool)),
    int: ("an integer", lambda data: type(data) is int and abs(data) < 2**63),
    float: ("a finite number", lambda data: type(data) in (int, float) and abs(data) <= 1e300),
}
"""What is expected where a type is, and whether a value is that."""
_SIZED: dict[Any, tuple[str, str, int]] = {
    str: ("a text", "characters", 10_000),
    list: ("a list", "entries", 100_000),
    dict: ("an object", "entries", 100_000),
}
"""What is expected, what its size counts, and the most of them where no `Size` is given."""


@functools.cache
def _parts(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    return get_origin(kind), get_args(kind)


def _value(kind: Any, data: Any, size: Size | None = None) -> Any:
    """The value of a type; `size` is that of an annotation of the type."""
    origin, arguments = _parts(kind)
    if origin is Annotated:
        return _annotated(arguments[0], arguments[1:], data)
    if kind is Any:
        return data
    if kind is str:
        return _sized(str, data, size)
    if kind in _SCALARS:
        expected, fits = _SCALARS[kind]
        if not fits(data):
            raise _unexpected(expected, data)
        return kind(data)
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind, data)
    if origin is Literal:
        return _literal(arguments, data)
    if origin in (Union, types.UnionType):
        return _union(arguments, data)
    if origin is dict and arguments[0] is str:
        entries = _sized(dict, data, size).items()
        return {
            _sized(str, name): _part(f"[{_shown(name)}]", arguments[1], each)
            for name, each in entries
        }
    if origin is tuple and arguments[-1] is not Ellipsis:
        if not isinstance(data, list) or len(data) != len(arguments):
            raise _unexpected(f"a list of {len(arguments)} entries", data)
        entries = zip(arguments, data, strict=True)
        return tuple(_part(f"[{n}]", inner, each) for n, (inner, each) in enumerate(entries))
    if origin in (list, tuple):
        entries = enumerate(_sized(list, data, size))
        return origin(_part(f"[{n}]", arguments[0], each) for n, each in entries)
    raise TypeError(f"{kind} cannot be decoded")


def _part(place: str, kind: Any, data: Any) -> Any:
    """A value within another one; an error names its place."""
    try:
        return _value(kind, data)
    except DecodeError as error:
        text = str(error)
        nested = text.startswith((".", "["))
        raise DecodeError(f"{place}{text}" if nested else f"{place}: {text}") from None


def _annotated(kind: Any, notes: tuple[Any, ...], data: Any) -> Any:
    """The value of a type within the bounds that its annotation adds."""
    size = None
    for note in notes:
        if isinstance(note, Using):
            return _built(note.read, data)
        if isinstance(note, Size):
            size = note
        if isinstance(note, Range):
            is_number = type(data) in (int, float)
            if is_number and not note.least <= data <= note.most:
                raise _unexpected(f"a number from {note.least:g} to {note.most:g}", data)
    value = _value(kind, data, size)
    if Line() in notes and value is not None and not value.isprintable():
        raise _unexpected("one line of printable text", data)
    return value


def _sized(kind: Any, data: Any, size: Size | None = None) -> Any:
    what, parts, most = _SIZED[kind]
    least, most = (size.least, size.most) if size else (0, most)
    if not isinstance(data, kind):
        raise _unexpected(what, data)
    if not least <= len(data) <= most:
        raise _unexpected(f"{what} of {least} to {most} {parts}", data)
    return data


@functools.cache
def _fields(kind: Any) -> tuple[dict[str, Any], list[str]]:
    """The types of the fields of a dataclass by name, and the names of those without a default."""
    fields = [field for field in dataclasses.fields(kind) if field.init]
    hints, missing = typing.get_type_hints(kind, include_extras=True), dataclasses.MISSING
    needed = [each.name for each in fields if each.default is each.default_factory is missing]
    return {each.name: hints[each.name] for each in fields}, needed


def _dataclass(kind: Any, data: Any) -> Any:
    (known, needed), data = _fields(kind), _sized(dict, data)
    for name in needed:
        if name not in data:
            raise DecodeError(f"{name!r} is missing")
    for name in data:
        if name not in known:
            raise DecodeError(f"{_shown(name)} is unknown")
    values = {name: _part(f".{name}", known[name], value) for name, value in data.items()}
    return _built(lambda values: kind(**values), values)


def _literal(allowed: tuple[Any, ...], data: Any) -> Any:
    for value in allowed:
        if type(data) is type(value) and data == value:
            return value
    raise _unexpected(" or ".join(map(repr, allowed)), data)


def _union(kinds: tuple[Any, ...], data: Any) -> Any:
    if types.NoneType in kinds and data is None:
        return None
    problems = []
    for kind in kinds:
        if kind is types.NoneType:
            continue
        try:
            return _value(kind, data)
        except DecodeError as error:
            problems.append(str(error))
    # The most detailed one comes from the member that fitted best.
    raise DecodeError(max(problems, key=len))


def _built(read: Callable[[Any], Any], data: Any) -> Any:
    """What a function makes of a value, whose errors count as the value's."""
    try:
        return read(data)
    except DecodeError:
        raise
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        raise DecodeError(printable(str(error), 200)) from None


def is_deep(value: Any, depth: int = DEPTH) -> bool:
    """Whether what JSON gave is nested deeper than `depth`."""
    return any(number >= depth for number, _ in enumerate(_levels(value)))


def _levels(value: Any) -> Iterator[list[Any]]:
    """The values of each level of nesting, the outermost first."""
    level = [value]
    while level:
        yield level
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]


def _check_plain(value: Any, depth: int) -> None:
    """Refuse what is nested deeper than `depth`, and text that cannot be encoded."""
    for number, level in enumerate(_levels(value)):
        if number >= depth:
            raise DecodeError(f"it is nested more than {depth} levels deep")
        for each in level:
            if isinstance(each, str):
                _check_text(each)
            elif isinstance(each, dict):
                for name in each:
                    _check_text(name)


def _check_text(text: str) -> None:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise DecodeError(f"{_shown(text)} has half a surrogate pair") from None


def _integer(text: str) -> int:
    if len(text) > _DIGITS:
        raise DecodeError(f"{text[:_DIGITS]}... is an integer of more than {_DIGITS} digits")
    return int(text)


def _float(text: str) -> float:
    value = float(text[:400])
    if len(text) > 400 or not math.isfinite(value):
        raise DecodeError(f"{text[:_DIGITS]}... is not a finite number")
    return value


def _refuse_constant(text: str) -> Any:
    raise DecodeError(f"{text} is not a finite number")


def _unexpected(expected: str, data: Any) -> DecodeError:
    return DecodeError(f"expected {expected}, not {_shown(data)}")


def _shown(data: Any) -> str:
    """A value for a message, in one short line."""
    if isinstance(data, list):
        return f"a list of {len(data)} entries"
    if isinstance(data, dict):
        return "an object"
    if isinstance(data, str):
        return f"'{printable(data, 60)}'"
    if type(data) is int and abs(data) >= 2**63:
        return f"an integer of {data.bit_length()} bits"
    return printable(json.dumps(data, default=repr), 60)
