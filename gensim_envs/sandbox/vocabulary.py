"""The names that a program may use: built-ins, attributes, and names of the API and of math."""

from __future__ import annotations

import difflib
import functools
import math
import types

import numpy as np

ALLOWED_BUILTINS = frozenset(
    (
        *("abs", "all", "any", "bool", "dict", "enumerate", "filter", "float", "int"),
        *("isinstance", "len", "list", "map", "max", "min", "range", "reversed", "round"),
        *("sorted", "str", "sum", "tuple", "zip"),
    )
)
"""Python's built-ins that a program may use.

No `set`: its order depends on memory addresses, so equal seeds would not give equal specs.
"""

PLAIN_ATTRIBUTES = frozenset(
    (
        # of scenes and items, set in their constructors
        *("asset", "fixed", "index", "rng", "split"),
        # of str, list, tuple and dict
        *("append", "capitalize", "copy", "count", "endswith", "extend", "get", "index"),
        *("insert", "items", "join", "keys", "lower", "pop", "remove", "replace", "reverse"),
        *("setdefault", "sort", "split", "startswith", "strip", "title", "update", "upper"),
        *("values",),
        # of scene.rng and of the arrays it returns; not bit_generator, tofile or dump
        *("choice", "integers", "item", "normal", "permutation", "permuted", "random"),
        *("shuffle", "tolist", "uniform"),
    )
)

_REVIEWED = PLAIN_ATTRIBUTES | {"clear", "gamma", "kind", "path", "prod", "shape", "size"}
"""Names of `FORBIDDEN_ATTRIBUTES`' types that lead to nothing but numbers, text and shapes.

Those beyond `PLAIN_ATTRIBUTES` are also names of the API or of math. `clear` is a method of frames
too, but no other name leads to a frame.
"""


_INTROSPECTED: tuple[type, ...] = (
    *(types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType, types.FrameType),
    *(types.CodeType, types.TracebackType, types.FunctionType, types.MethodType),
    *(types.BuiltinFunctionType, types.ModuleType, types.CellType, type, property),
    *(AttributeError, ImportError, NameError, OSError, StopIteration, SystemExit, UnicodeError),
    *(np.ndarray, np.generic, np.dtype, np.random.Generator, np.random.BitGenerator),
    *(np.random.PCG64, np.random.SeedSequence, np.random.RandomState),
)

FORBIDDEN_ATTRIBUTES = (
    frozenset(name for kind in _INTROSPECTED for name in dir(kind) if not name.startswith("_"))
    | {"format", "format_map"}
) - _REVIEWED
"""Names that no program may read from anything, even where it defines them itself.

They are the public attributes of what Python and NumPy hold a program's state in: generators,
frames, code, functions, errors, arrays and random generators. What a program calls `self` may be
any of these, so the list holds whatever the receiver is. `str.format` reads attributes by name.
"""


def suggest(name: str, known: frozenset[str] | set[str], otherwise: str) -> str:
    """Suggest known names that look like an unknown one."""
    close = difflib.get_close_matches(name[:100], sorted(known), n=3)
    return f"Did you mean {' or '.join(close)}?" if close else f"{otherwise}."


@functools.cache
def math_names() -> frozenset[str]:
    """The public names of math."""
    return frozenset(name for name in dir(math) if not name.startswith("_"))


@functools.cache
def api_names() -> frozenset[str]:
    """The names that gensim_envs.api exports."""
    import gensim_envs.api

    return frozenset(gensim_envs.api.__all__)


@functools.cache
def api_attributes() -> frozenset[str]:
    """The public attributes of what the API exports."""
    import gensim_envs.api

    found: set[str] = set()
    for name in gensim_envs.api.__all__:
        value = getattr(gensim_envs.api, name)
        for kind in value.__mro__ if isinstance(value, type) else ():
            found.update(vars(kind), getattr(kind, "__annotations__", ()))
    return frozenset(name for name in found if not name.startswith("_"))
