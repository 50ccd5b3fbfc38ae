"""The API reference in prompts, rendered from the docstrings of `gensim_envs.api`."""

from __future__ import annotations

import ast
import functools
import inspect
from pathlib import Path
from typing import Any

import gensim_envs.api
from gensim_envs.generation.prompts import render
from gensim_envs.sandbox.gate import syntax_tree
from gensim_envs.task.assets import ASSETS, KIT_SHAPES, OBJECTS, SPLIT_COLORS, Asset
from gensim_envs.task.pose import Pose

_HIDDEN = {"parts", "symmetry", "mass", "opening", "grasps", "called", "variant"}
"""Members that programs have no use for."""


@functools.cache
def api_reference() -> str:
    """Everything that a program may import, with signatures and docstrings, as Markdown."""
    parts = {name: getattr(gensim_envs.api, name) for name in gensim_envs.api.__all__}
    seen = SPLIT_COLORS["train"]
    return render(
        "reference",
        tasks=[_class(parts[name]) for name in ("Task", "Scene", "Item", "Group", "Pose")],
        assets=[_class(asset) for asset in ASSETS.values()],
        functions=[
            f"### {name}{_signature(part)}\n\n{_docstring(part)}\n"
            for name, part in parts.items()
            if inspect.isfunction(part)
        ],
        seen=seen,
        unseen=[color for color in SPLIT_COLORS["test"] if color not in seen],
        shapes=KIT_SHAPES,
        kinds=[
            f"{kind} {' x '.join(f'{100 * side:.0f}' for side in data['size'])}"
            for kind, data in OBJECTS.items()
        ],
    )


def asset_lines() -> list[tuple[str, str]]:
    """(name, first sentence of its docstring) of every asset."""
    return [
        (name, _docstring(cls).split("\n\n")[0].replace("\n", " ")) for name, cls in ASSETS.items()
    ]


def _docstring(thing: Any) -> str:
    """Docstring of a class or function, or "", from the source: `python -OO` strips `__doc__`."""
    return _docstrings(inspect.getsourcefile(thing) or "").get(thing.__qualname__, "")


@functools.cache
def _docstrings(file: str) -> dict[str, str]:
    """The docstrings of a module's classes, functions and methods by their qualified names."""
    found: dict[str, str] = {}

    def walk(node: ast.AST, above: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef | ast.FunctionDef):
                found[above + child.name] = ast.get_docstring(child) or ""
                walk(child, f"{above}{child.name}.")

    walk(syntax_tree(Path(file).read_text(encoding="utf-8")), "")
    return found


def _class(cls: type) -> str:
    shown = _signature(cls) if issubclass(cls, Asset) or cls is Pose else ""
    lines = [f"### {cls.__name__}{shown}\n", _docstring(cls), ""]
    constants = [(name, value) for name, value in vars(cls).items() if name.isupper()]
    lines += [f"- `{cls.__name__}.{name}` = {value}" for name, value in constants]
    for name, member in vars(cls).items():
        if name in _HIDDEN or (name.startswith("_") and name != "__matmul__"):
            continue
        if isinstance(member, property):
            about, shown = _docstring(member.fget), name
        elif inspect.isfunction(member):
            about, shown = _docstring(member), f"{name}{_signature(member)}"
        else:
            continue
        if about:
            lines += [f"- `.{shown}`", *(f"  {line}".rstrip() for line in about.splitlines())]
    return "\n".join(lines) + "\n"


def _signature(thing: Any) -> str:
    """The parameters, without `self` and the long type names of containers."""
    signature = inspect.signature(thing)
    shown = [p for p in signature.parameters.values() if p.name != "self"]
    text = str(signature.replace(parameters=shown, return_annotation=inspect.Signature.empty))
    for long, short in (("Item[Asset]", "Item"), ("'", ""), ("Sequence", "list")):
        text = text.replace(long, short)
    return text
