"""The API reference in prompts, rendered from the docstrings of `gensim_envs.api`."""

from __future__ import annotations

import ast
import functools
import inspect
from pathlib import Path
from typing import Any

import gensim_envs.api
from gensim_envs.task.assets import ASSETS, KIT_SHAPES, OBJECTS, SPLIT_COLORS, Asset
from gensim_envs.task.pose import Pose

COMMON_ERRORS = (
    "A call or an attribute in a constant above the class, such as `HALF = Rope.LENGTH / 2`: only "
    "numbers, text, tuples and arithmetic may stand there; put it into `build`.",
    "Tuple assignment above the class, `A, B = 1, 2`: give each constant its own line.",
    "A sentence that names something which its goal neither moves nor is about, such as `onto the "
    "platform beside the box`.",
    "A number in a sentence that is not how many things the goal moves.",
    "Reading `pose` of a movable thing: only fixed things and reserved places have one.",
    "Stacking with `at=` and forgetting heights: `pose.up(h)` lifts a pose, `stack` and `pyramid` "
    "do it themselves; z is the underside of the thing.",
    "Places that intersect: count the whole footprint, turned as well, and some millimetres more.",
    "Places near the edge of the table: `scene.reserve(radius=...)` must hold the whole "
    "arrangement.",
    "Too much on the table: reserved discs, fixed and movable things must all find room.",
    "More things than places, or a pile or a rope together with something else in one goal.",
    "Two calls of `scene.colors`, which may draw the same colour: draw all at once, or `exclude=`.",
    "`inside=` with `offset=`: that things are inside is judged, where inside is not.",
    "Ropes along curves: they are laid well along straight paths only.",
    "Several code blocks in an answer, or an answer without one.",
    "`while`, `try`, `lambda`, `import random`, helper functions outside the class: all are "
    "refused.",
)
"""Mistakes that models make, worded for them."""
_HIDDEN = {"parts", "symmetry", "mass", "opening", "grasps", "called", "variant"}
"""Members that programs have no use for."""


@functools.cache
def api_reference() -> str:
    """Everything that a program may import, with signatures and docstrings, as Markdown."""
    names = gensim_envs.api.__all__
    parts = {name: getattr(gensim_envs.api, name) for name in names}
    text = ["## Scene and tasks\n"]
    text += [_class(parts[name]) for name in ("Task", "Scene", "Item", "Group", "Pose")]
    text.append("## Assets\n")
    text.append(
        "Each takes its colour first. As text an item is its colour and noun, `red block`; several "
        "are `red blocks`. `item.asset` is the asset, `asset.height` its height in metres.\n"
    )
    text += [_class(parts[name]) for name in ASSETS]
    text.append("## Arrangements of poses\n")
    for name in names:
        if inspect.isfunction(parts[name]):
            text.append(f"### {name}{_signature(parts[name])}\n\n{_docstring(parts[name])}\n")
    text.append("## Names\n")
    seen = SPLIT_COLORS["train"]
    unseen = [color for color in SPLIT_COLORS["test"] if color not in seen]
    kinds = (
        f"{kind} {' x '.join(f'{100 * side:.0f}' for side in data['size'])}"
        for kind, data in OBJECTS.items()
    )
    text.append(f"Colours: {', '.join(seen)}; unseen while training: {', '.join(unseen)}.\n")
    text.append(f"Shapes of kit pieces: {', '.join(KIT_SHAPES)}.\n")
    text.append(f"Kinds of household objects, with their size in cm: {', '.join(kinds)}.")
    return "\n".join(text)


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

    walk(ast.parse(Path(file).read_text(encoding="utf-8")), "")
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
