"""Which names and attributes a program may use."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from gensim_envs.errors import TaskError
from gensim_envs.sandbox.rules.refusals import refuse
from gensim_envs.sandbox.vocabulary import (
    ALLOWED_BUILTINS,
    PLAIN_ATTRIBUTES,
    api_attributes,
    api_names,
    math_names,
    suggest,
)


def name_offences(tree: ast.Module) -> Iterator[TaskError]:
    """Names that are not bound, not available, or not public."""
    bound = _bound_names(tree)
    for node in _inside_out(tree):
        for name in _names_in(node):
            if name.startswith("_") and name != "_":
                yield refuse(node, f"the name {name[:80]} starts with an underscore", "Rename it.")
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            if node.id not in bound and node.id not in ALLOWED_BUILTINS:
                yield _unknown_name(node)
        elif isinstance(node, ast.Attribute):
            yield from _attribute_offences(node, bound)


def _inside_out(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes, each after its parts, so that an error names the first unknown one of `a.b`."""
    for child in ast.iter_child_nodes(node):
        yield from _inside_out(child)
    yield node


def _bound_names(tree: ast.Module) -> set[str]:
    """All names that the program binds anywhere; scopes are left to Python itself."""
    bound = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound.add(node.id)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.alias):
            bound.add(node.asname or node.name)
    return bound


def _names_in(node: ast.AST) -> list[str]:
    """The identifiers of this node itself."""
    fields = ("id", "attr", "arg", "name", "asname")
    values = (getattr(node, field, None) for field in fields)
    return [value for value in values if isinstance(value, str)]


def _unknown_name(node: ast.Name) -> TaskError:
    if node.id in api_names():
        remedy = f"Add {node.id} to the import from gensim_envs.api."
        return refuse(node, f"{node.id} is not imported", remedy)
    if hasattr(builtins, node.id):
        allowed = ", ".join(sorted(ALLOWED_BUILTINS))
        return refuse(
            node, f"{node.id} is not available", f"The available built-ins are {allowed}."
        )
    remedy = suggest(node.id, api_names(), "Define it, or use a name of gensim_envs.api")
    return refuse(node, f"the name {node.id} is not defined", remedy)


def _attribute_offences(node: ast.Attribute, bound: set[str]) -> Iterator[TaskError]:
    known = PLAIN_ATTRIBUTES | api_attributes()
    if isinstance(node.value, ast.Name) and node.value.id == "self":
        known = known | bound
    if isinstance(node.value, ast.Name) and node.value.id == "math":
        known = math_names()
    if node.attr in ("format", "format_map"):
        problem = f"the method {node.attr} is not allowed"
        yield refuse(node, problem, 'Use an f-string: f"the {item}".')
    elif node.attr not in known and not node.attr.startswith("_"):
        problem = f"the attribute {node.attr} is not known"
        yield refuse(node, problem, suggest(node.attr, known, "See the reference of the API"))
