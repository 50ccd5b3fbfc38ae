"""Reading JSON from anywhere into typed data."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gensim_envs.errors import FileError
from gensim_envs.utils.decode import DecodeError, Line, Range, Size, Using, decode, parse, read


@dataclass(frozen=True)
class Wheel:
    radius: Annotated[float, Range(0, 1)]
    kind: Literal["plain", "spoked"] = "plain"


@dataclass(frozen=True)
class Car:
    name: Annotated[str, Line(), Size(1, 10)]
    wheels: Annotated[tuple[Wheel, ...], Size(1, 4)]
    counts: dict[str, int]
    place: tuple[float, float] | None = None
    trailer: Car | None = None
    day: Annotated[int, Using(lambda data: int(data["day"]))] = 1


SMALL = {"name": "a", "wheels": [{"radius": 1}], "counts": {"doors": 3}}


def test_a_value_is_built_with_its_defaults() -> None:
    car = decode(Car, {**SMALL, "place": [0, 1.5], "trailer": SMALL, "day": {"day": 4}})
    plain = Car("a", (Wheel(1.0),), {"doors": 3})
    assert car == Car("a", (Wheel(1.0),), {"doors": 3}, (0.0, 1.5), plain, 4)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"name": "\x1b"}, r"name: expected one line of printable text, not '\\x1b'"),
        ({"name": "a" * 11}, "name: expected a text of 1 to 10 characters, not 'aaaaaaaaaaa'"),
        ({"wheels": []}, r"wheels: expected a list of 1 to 4 entries, not a list of 0"),
        ({"wheels": [{"radius": 1}, {"radius": 2}]}, r"wheels\[1\].radius: expected a number from"),
        ({"wheels": [{"radius": True}]}, r"wheels\[0\].radius: expected a finite number, not true"),
        ({"wheels": [{}]}, r"wheels\[0\]: 'radius' is missing"),
        ({"wheels": [{"radius": 1, "kind": "x"}]}, "kind: expected 'plain' or 'spoked', not 'x'"),
        ({"counts": {"doors": 1.5}}, r"counts\['doors'\]: expected an integer, not 1.5"),
        (
            {"counts": {"doors": 10**5000}},
            r"counts\['doors'\]: expected an integer, not an integer",
        ),
        ({"place": [1]}, "place: expected a list of 2 entries"),
        ({"trailer": {**SMALL, "name": 1}}, "trailer.name: expected a text"),
        ({"day": {}}, "day: 'day'"),
        ({"\x1b[2J": 1}, r"'\\x1b\[2J' is unknown"),
    ],
)
def test_the_place_of_an_error_is_named(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(DecodeError, match=f"^[^\n\x1b]*{problem}[^\n\x1b]*$"):
        decode(Car, {**SMALL, **change})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[" * 100_000, "nested too deeply"),
        ("[" * 50 + "]" * 50, "more than 40 levels"),
        ("[1e999]", "not a finite number"),
        ("[NaN]", "NaN is not a finite number"),
        ("-Infinity", "not a finite number"),
        ("1" * 10_000, "an integer of more than 20 digits"),
        ('{"\\ud800": 1}', "half a surrogate pair"),
        (b"\xff", "not valid JSON"),
        (b'"' + b"a" * 2**24 + b'"', "larger than"),
    ],
)
def test_json_that_could_harm_is_refused(text: str | bytes, problem: str) -> None:
    with pytest.raises(DecodeError, match=problem):
        parse(text)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
_CARS = st.fixed_dictionaries(
    {key: st.just(value) | _JSON for key, value in SMALL.items()},
    optional=dict.fromkeys(("place", "trailer", "day"), _JSON),
)


@given(_CARS | _JSON)
def test_no_value_raises_anything_else(data: Any) -> None:
    try:
        car = decode(Car, data)
    except DecodeError as error:
        assert str(error).isprintable() and len(str(error)) < 1000
    else:
        assert isinstance(car, Car)


def test_a_file_is_named_in_the_error(tmp_path: Path) -> None:
    path = tmp_path / "car.json"
    path.write_text(json.dumps({**SMALL, "name": 1}))
    with pytest.raises(FileError, match=r"car\.json is malformed: name: expected"):
        read(path, Car)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(FileError, match=r"car\.json cannot be read: it is not a regular file"):
        read(path, Car)
