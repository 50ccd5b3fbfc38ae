"""Command-line options made from a dataclass: a field's docstring is its help."""

from __future__ import annotations

import argparse
import ast
import inspect
import math
import textwrap
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints


def docstrings(cls: type) -> dict[str, str]:
    """The string literal under each field of a dataclass, on one line."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__[:-1]):
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        assert isinstance(tree, ast.ClassDef)
        for field, text in zip(tree.body, tree.body[1:], strict=False):
            match field, text:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(said))),
                ):
                    found[name] = " ".join(said.split())
    return found


def check_range(options: Any, low: float, high: float, *names: str) -> None:
    """Checks fields of a dataclass that are numbers or tuples of them.

    Raises:
        ValueError: one is not finite, or not from `low` to `high`.
    """
    for name in names:
        value = getattr(options, name)
        for number in value if isinstance(value, tuple) else (value,):
            if not (math.isfinite(number) and low <= number <= high):
                allowed = f"{low} or more" if high == math.inf else f"{low} to {high}"
                raise ValueError(f"{name} is {number}; give {allowed}")


def add_options(
    parser: argparse.ArgumentParser, cls: type, group: str = "", leave_out: tuple[str, ...] = (),
    defaults: Mapping[str, Any] = MappingProxyType({}),
) -> None:  # fmt: skip
    """Adds an option for each field of a dataclass.

    An option that is not given leaves no trace in the namespace, so that whoever reads it knows
    what was asked for.

    Args:
        parser: what to add to.
        cls: a dataclass whose fields all have a docstring.
        group: where given, the options are called --GROUP.FIELD and stand under its heading.
        leave_out: fields that get no option.
        defaults: what the help says instead of the dataclass's own.
    """
    target = parser.add_argument_group(f"options of {group}") if group else parser
    hints, said = get_type_hints(cls), docstrings(cls)
    for field in fields(cls):
        if field.name in leave_out:
            continue
        flag = f"{group}.{field.name}" if group else field.name.replace("_", "-")
        default = _shown(defaults.get(field.name, field.default))
        text = said[field.name] + ("" if default is None else f" (default: {default})")
        target.add_argument(
            f"--{flag}",
            dest=f"{group}.{field.name}" if group else field.name,
            default=argparse.SUPPRESS,
            required=_required(field),
            help=text.replace("%", "%%"),
            **_kind(hints[field.name]),
        )


def given(options: argparse.Namespace, cls: type, group: str = "") -> dict[str, Any]:
    """The fields of a dataclass that were given on the command line."""
    names = {f.name: f"{group}.{f.name}" if group else f.name for f in fields(cls)}
    values = {name: getattr(options, dest, MISSING) for name, dest in names.items()}
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in values.items()
        if value is not MISSING
    }


def _required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _shown(value: Any) -> str | None:
    if isinstance(value, tuple):
        return " ".join(map(str, value)) or None
    if isinstance(value, bool):
        return "yes" if value else "no"
    return None if value in (None, MISSING) else str(value)


def _kind(hint: Any) -> dict[str, Any]:
    """How argparse reads a type."""
    if get_origin(hint) in (Union, types.UnionType):
        (hint,) = (each for each in get_args(hint) if each is not type(None))
    if get_origin(hint) is Literal:
        return {"choices": get_args(hint)}
    if get_origin(hint) is tuple:
        return {"nargs": "+", **_kind(get_args(hint)[0])}
    if hint is bool:
        return {"action": argparse.BooleanOptionalAction}
    readers: dict[Any, tuple[Callable[[str], Any], str]] = {
        int: (int, "N"), float: (float, "X"), str: (str, "NAME"), Path: (Path, "PATH"),
    }  # fmt: skip
    read, metavar = readers[hint]
    return {"type": read, "metavar": metavar}
