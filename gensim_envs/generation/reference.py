"""The API reference in prompts, rendered from the docstrings of `gensim_envs.api`."""

from __future__ import annotations

import ast
import functools
import inspect
import re
import textwrap
from collections.abc import Collection
from typing import Any

import gensim_envs.api
from gensim_envs.generation.prompts import render
from gensim_envs.sandbox.gate import PARSER
from gensim_envs.task.assets import ASSETS, KIT_SHAPES, OBJECTS, SPLIT_COLORS, Asset
from gensim_envs.task.pose import Pose

_HIDDEN = {"parts", "symmetry", "mass", "opening", "grasps", "called", "variant"}
"""Members that programs have no use for."""


@functools.cache
def api_reference(assets: Collection[str] | None = None, text: str = "") -> str:
    """What a program may import, with signatures and docstrings, as Markdown.

    Args:
        assets: classes of assets to describe; all by default.
        text: with `assets`, the kinds of household objects that it mentions are listed, and two
            more; by default all.
    """
    slim = assets is not None
    parts = {name: getattr(gensim_envs.api, name) for name in gensim_envs.api.__all__}
    seen = SPLIT_COLORS["train"]
    chosen = ASSETS if assets is None else {name: ASSETS[name] for name in ASSETS if name in assets}
    kinds = list(OBJECTS) if assets is None else _kinds(text)
    return render(
        "reference",
        slim=slim,
        tasks=[_class(parts[name], slim) for name in ("Task", "Scene", "Item", "Group", "Pose")],
        assets=[_class(asset, slim) for asset in chosen.values()],
        functions=[
            _function(name, part, slim) for name, part in parts.items() if inspect.isfunction(part)
        ],
        seen=seen,
        unseen=[color for color in SPLIT_COLORS["test"] if color not in seen],
        shapes=KIT_SHAPES if {"KitPiece", "KitBoard"} & set(chosen) else (),
        kinds=[
            f"{kind} {' x '.join(f'{100 * side:.0f}' for side in OBJECTS[kind]['size'])}"
            for kind in kinds
            if "Household" in chosen
        ],
    )


def signatures(assets: Collection[str] = tuple(ASSETS), text: str = "") -> list[str]:
    """One line for each thing that a program may use: the signature, and what an asset is.

    Args:
        assets: classes of assets to describe; all by default.
        text: the kinds of household objects that it mentions are listed, and two more.
    """
    parts = {name: getattr(gensim_envs.api, name) for name in gensim_envs.api.__all__}
    lines = [*_methods("scene", parts["Scene"]), *_methods("pose", parts["Pose"])]
    lines += [
        f"`{name}{_signature(part, True)}`"
        for name, part in parts.items()
        if inspect.isfunction(part)
    ]
    for name, asset in ASSETS.items():
        if name in assets:
            lines.append(f"`{name}{_signature(asset, True)}`: {_first(_docstring(asset))}")
            lines += _methods("asset", asset)
    if {"KitPiece", "KitBoard"} & set(assets):
        lines.append(f"shapes: {', '.join(KIT_SHAPES)}")
    if "Household" in assets:
        lines.append(f"kinds: {', '.join(_kinds(text))} and others")
    return [*lines, f"colours: {', '.join(SPLIT_COLORS['train'])}"]


def _methods(owner: str, cls: type) -> list[str]:
    """The signatures of the methods of a class that programs call."""
    return [
        f"`{owner}.{name}{_signature(member, True)}`"
        for name, member in vars(cls).items()
        if inspect.isfunction(member) and name not in _HIDDEN and not name.startswith("_")
        if _docstring(member)
    ]


def _kinds(text: str) -> list[str]:
    """The kinds of household objects that a text mentions, and two more."""
    named = [kind for kind in OBJECTS if kind in text or kind.replace("_", " ") in text]
    return list(dict.fromkeys([*named, *list(OBJECTS)[:2]]))


def _function(name: str, function: Any, slim: bool) -> str:
    head, text = f"{name}{_signature(function, slim)}", _docstring(function)
    return f"- `{head}`: {_first(text)}" if slim else f"### {head}\n\n{text}\n"


def _first(docstring: str) -> str:
    """The first paragraph, in one line."""
    return docstring.split("\n\n")[0].replace("\n", " ")


def _brief(name: str, docstring: str) -> str:
    """The docstring of a method in a slim reference: only that of `goal` has details."""
    detailed = re.sub(r"\n+Raises:\n(?:[ ]+.*\n?)*", "", docstring)
    return detailed if name == "goal" else docstring.split("\n\n")[0]


@functools.cache
def asset_lines() -> list[tuple[str, str]]:
    """(name, first sentence of its docstring) of every asset."""
    return [(name, _first(_docstring(cls))) for name, cls in ASSETS.items()]


def _docstring(thing: Any) -> str:
    """Docstring of a class or function, or "", from the source: `python -OO` strips `__doc__`."""
    with PARSER:  # which finding a class in its file needs, too
        node = ast.parse(textwrap.dedent(inspect.getsource(thing))).body[0]
    assert isinstance(node, ast.ClassDef | ast.FunctionDef)
    return ast.get_docstring(node) or ""


def _class(cls: type, slim: bool) -> str:
    shown = _signature(cls) if issubclass(cls, Asset) or cls is Pose else ""
    text = _docstring(cls)
    if slim and cls is Pose:  # what programs read is explained by the names
        text = text.split("\n\nAttributes")[0]
    lines = [f"### {cls.__name__}{shown}\n", text, ""]
    constants = [
        (name, value)
        for name, value in vars(cls).items()
        if name.isupper() and not name.startswith("_")
    ]
    lines += [f"- `{cls.__name__}.{name}` = {value}" for name, value in constants]
    for name, member in vars(cls).items():
        if name in _HIDDEN or (name.startswith("_") and name != "__matmul__"):
            continue
        if isinstance(member, property):
            about, shown = _docstring(member.fget), name
        elif inspect.isfunction(member):
            about, shown = _docstring(member), f"{name}{_signature(member, slim)}"
        else:
            continue
        if slim:
            about = _brief(name, about)
        if about:
            lines += [f"- `.{shown}`", *(f"  {line}".rstrip() for line in about.splitlines())]
    return "\n".join(lines) + "\n"


def _signature(thing: Any, slim: bool = False) -> str:
    """The parameters, without `self` and the long type names of containers, or without any types.

    Types are written as in the source, and defaults as Python writes them, so with their quotes.
    """
    kept = [each for name, each in inspect.signature(thing).parameters.items() if name != "self"]
    if slim:
        kept = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in kept]
    shown = str(inspect.Signature(kept)).replace("Item[Asset]", "Item").replace("Sequence", "list")
    return re.sub(r""": (['"])(.*?)\1""", r": \2", shown)
