"""Turn JSON from anywhere into typed data, or say in one line where it is wrong.

`parse` reads the text within limits; `decode` checks the value against a type and builds it. Both
raise `DecodeError` and nothing else, whatever the input.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
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
_Decoder = Callable[[Any], Any]

DEPTH = 40
"""Most levels of nested lists and objects."""
_DIGITS = 20  # of an integer; more may take long to read, and no figure of ours has as many


class DecodeError(ValueError):
    """Data are not of the expected form; the message says where and what was expected."""


@dataclass(frozen=True)
class Range:
    """Bounds of a number, both included; for `Annotated[float, Range(0, 1)]`."""

    least: float
    most: float


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
        built: T = _decoder(typing.cast(Any, kind))(data)
    except DecodeError as error:
        raise DecodeError(str(error).removeprefix(".")) from None
    return built


@functools.cache
def _decoder(kind: Any) -> _Decoder:
    """The function that decodes a type."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _annotated(arguments[0], arguments[1:])
    if kind is Any:
        return lambda data: data
    if kind is str:
        return functools.partial(_sized, str, _CHARACTERS)
    if kind in _SCALARS:
        return functools.partial(_scalar, kind, *_SCALARS[kind])
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind)
    if origin is Literal:
        return functools.partial(_literal, arguments)
    if origin in (Union, types.UnionType):
        members = [each for each in arguments if each is not types.NoneType]
        optional = len(members) < len(arguments)
        return functools.partial(_union, optional, [_decoder(each) for each in members])
    if origin is dict and arguments[0] is str:
        return functools.partial(_object, _decoder(arguments[1]), _ENTRIES)
    if origin is list or (origin is tuple and arguments[-1] is Ellipsis):
        return functools.partial(_list, origin, _decoder(arguments[0]), _ENTRIES)
    if origin is tuple:
        return functools.partial(_tuple, [_decoder(each) for each in arguments])
    raise TypeError(f"{kind} cannot be decoded")


_CHARACTERS, _ENTRIES = Size(0, 10_000), Size(0, 100_000)


def _annotated(kind: Any, notes: tuple[Any, ...]) -> _Decoder:
    """A decoder with the bounds that an annotation adds."""
    for note in notes:
        if isinstance(note, Using):
            return functools.partial(_using, note.read)
    decoder = _decoder(kind)
    for note in sorted(notes, key=lambda note: not isinstance(note, Size)):
        if isinstance(note, Size):  # the last argument of the decoders of what has a size
            assert isinstance(decoder, functools.partial)
            decoder = functools.partial(decoder.func, *decoder.args[:-1], note)
        elif isinstance(note, Range):
            decoder = functools.partial(_ranged, decoder, note)
        elif isinstance(note, Line):
            decoder = functools.partial(_line, decoder)
    return decoder


_SCALARS: dict[Any, tuple[str, Callable[[Any], bool]]] = {
    bool: ("true or false", lambda data: isinstance(data, bool)),
    int: ("an integer", lambda data: type(data) is int and abs(data) < 2**63),
    float: ("a finite number", lambda data: type(data) in (int, float) and abs(data) <= 1e300),
}
"""What is expected where a type is, and whether a value is that."""


def _scalar(kind: type, expected: str, fits: Callable[[Any], bool], data: Any) -> Any:
    if not fits(data):
        raise _unexpected(expected, data)
    return kind(data)


_WORDS: dict[Any, tuple[str, str]] = {
    str: ("a text", "characters"), list: ("a list", "entries"), dict: ("an object", "entries")
}  # fmt: skip


def _sized(kind: Any, size: Size, data: Any) -> Any:
    what, parts = _WORDS[kind]
    if not isinstance(data, kind):
        raise _unexpected(what, data)
    if not size.least <= len(data) <= size.most:
        raise _unexpected(f"{what} of {size.least} to {size.most} {parts}", data)
    return data


def _dataclass(kind: Any) -> _Decoder:
    fields = {field.name: field for field in dataclasses.fields(kind) if field.init}
    missing = dataclasses.MISSING
    needed = [
        name
        for name, field in fields.items()
        if field.default is missing and field.default_factory is missing
    ]

    @functools.cache
    def decoders() -> dict[str, _Decoder]:
        """Made on first use, since types may refer to themselves."""
        hints = typing.get_type_hints(kind, include_extras=True)
        return {name: _decoder(hints[name]) for name in fields}

    def build(data: Any) -> Any:
        data, known = _sized(dict, _ENTRIES, data), decoders()
        for name in needed:
            if name not in data:
                raise DecodeError(f"{name!r} is missing")
        values = {}
        for name, value in data.items():
            if name not in known:
                raise DecodeError(f"{_shown(name)} is unknown")
            try:
                values[name] = known[name](value)
            except DecodeError as error:
                raise _at(f".{name}", error) from None
        try:
            return kind(**values)
        except ValueError as error:
            raise DecodeError(printable(str(error), 200)) from None

    return build


def _list(container: type, decoder: _Decoder, size: Size, data: Any) -> Any:
    values = _sized(list, size, data)
    return container(_parts([decoder] * len(values), values))


def _tuple(decoders: list[_Decoder], data: Any) -> tuple[Any, ...]:
    if not isinstance(data, list) or len(data) != len(decoders):
        raise _unexpected(f"a list of {len(decoders)} entries", data)
    return tuple(_parts(decoders, data))


def _parts(decoders: list[_Decoder], data: list[Any]) -> list[Any]:
    """The entries of a list; an error names the one that is wrong."""
    found: list[Any] = []
    try:
        for decoder, value in zip(decoders, data, strict=True):
            found.append(decoder(value))
    except DecodeError as error:
        raise _at(f"[{len(found)}]", error) from None
    return found


def _object(decoder: _Decoder, size: Size, data: Any) -> dict[str, Any]:
    values = {}
    for name, value in _sized(dict, size, data).items():
        try:
            values[_sized(str, _CHARACTERS, name)] = decoder(value)
        except DecodeError as error:
            raise _at(f"[{_shown(name)}]", error) from None
    return values


def _literal(allowed: tuple[Any, ...], data: Any) -> Any:
    for value in allowed:
        if type(data) is type(value) and data == value:
            return value
    raise _unexpected(" or ".join(map(repr, allowed)), data)


def _union(optional: bool, decoders: list[_Decoder], data: Any) -> Any:
    if optional and data is None:
        return None
    problems = []
    for decoder in decoders:
        try:
            return decoder(data)
        except DecodeError as error:
            problems.append(str(error))
    # The most detailed one comes from the member that fitted best.
    raise DecodeError(max(problems, key=len))


def _using(read: Callable[[Any], Any], data: Any) -> Any:
    try:
        return read(data)
    except DecodeError:
        raise
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        raise DecodeError(printable(str(error), 200)) from None


def _ranged(decoder: _Decoder, bounds: Range, data: Any) -> Any:
    if type(data) in (int, float) and not bounds.least <= data <= bounds.most:
        raise _unexpected(f"a number from {bounds.least:g} to {bounds.most:g}", data)
    return decoder(data)


def _line(decoder: _Decoder, data: Any) -> Any:
    value = decoder(data)
    if value is not None and not value.isprintable():
        raise _unexpected("one line of printable text", data)
    return value


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


def _at(place: str, error: DecodeError) -> DecodeError:
    """The error of a part, with its place before it."""
    text = str(error)
    nested = text.startswith((".", "["))
    return DecodeError(f"{place}{text}" if nested else f"{place}: {text}")


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
