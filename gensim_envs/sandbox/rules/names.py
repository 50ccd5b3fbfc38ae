"""Which names and attributes a program may use."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from gensim_envs.errors import TaskError
from gensim_envs.sandbox.rules.refusals import refuse
from gensim_envs.sandbox.vocabulary import (
    ALLOWED_BUILTINS,
    FORBIDDEN_ATTRIBUTES,
    PLAIN_ATTRIBUTES,
    api_attributes,
    api_names,
    math_names,
    suggest,
)


def name_offences(tree: ast.Module) -> Iterator[TaskError]:
    """Names that are not bound, not available, or not public."""
    bound = bound_names(tree)
    own = class_names(tree)
    task = next((node.name for node in tree.body if isinstance(node, ast.ClassDef)), None)
    for node in inside_out(tree):
        for name in names_in(node):
            if name.startswith("_") and name != "_":
                yield refuse(node, f"the name {name[:80]} starts with an underscore", "Rename it.")
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            if node.id not in bound and node.id not in ALLOWED_BUILTINS:
                yield _unknown_name(node)
            elif node.id == task:
                remedy = "Call methods on self, and functions of the module by their name."
                yield refuse(node, f"{task} is used inside itself", remedy)
        elif isinstance(node, ast.Attribute):
            yield from _attribute_offences(node, own)
    yield from binding_offences(tree)


def binding_offences(tree: ast.Module) -> Iterator[TaskError]:
    """`self` or `math` bound to something else, and methods that are taken from the class.

    The gate relies on these two names being what they seem.
    """
    methods = {
        id(arg)
        for cls in tree.body
        if isinstance(cls, ast.ClassDef)
        for method in cls.body
        if isinstance(method, ast.FunctionDef)
        for arg in (*method.args.posonlyargs, *method.args.args)[:1]
    }
    for node in ast.walk(tree):
        right = "math" if isinstance(node, ast.Import) else "self" if id(node) in methods else ""
        for name in {"self", "math"}.intersection(_bound_here(node)) - {right}:
            remedy = "Rename it: self is a method's first argument, and math the module."
            yield refuse(node, f"{name} is bound to something else", remedy)
    for cls in tree.body:
        if isinstance(cls, ast.ClassDef):
            yield from _taken_methods(cls)


def _taken_methods(cls: ast.ClassDef) -> Iterator[TaskError]:
    """Methods in the constants of their class, from where they could be called on anything."""
    names = {node.name for node in cls.body if isinstance(node, ast.FunctionDef)}
    for node in cls.body:
        for part in ast.walk(node) if isinstance(node, ast.Assign | ast.AnnAssign) else ():
            if isinstance(part, ast.Name) and part.id in names:
                yield refuse(node, f"the method {part.id} is used as a value", "Call it on self.")


def inside_out(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes, each after its parts, so that an error names the first unknown one of `a.b`."""
    for child in ast.iter_child_nodes(node):
        yield from inside_out(child)
    yield node


def bound_names(tree: ast.Module) -> set[str]:
    """All names that the program binds anywhere; scopes are left to Python itself."""
    return {name for node in ast.walk(tree) for name in _bound_here(node)}


def _bound_here(node: ast.AST) -> tuple[str, ...]:
    """The names that this node itself binds."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return (node.id,)
    if isinstance(node, ast.arg):
        return (node.arg,)
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return (node.name,)
    if isinstance(node, ast.Import | ast.ImportFrom):
        return tuple(alias.asname or alias.name for alias in node.names)
    return ()


def class_names(tree: ast.Module) -> set[str]:
    """The names that the task's class binds, which are attributes of `self`."""
    statements = [node for cls in tree.body if isinstance(cls, ast.ClassDef) for node in cls.body]
    targets = [
        target
        for node in statements
        for target in getattr(node, "targets", [getattr(node, "target", None)])
    ]
    return {
        name for node in (*statements, *targets) if node is not None for name in _bound_here(node)
    }


def names_in(node: ast.AST) -> list[str]:
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


def _attribute_offences(node: ast.Attribute, own: set[str]) -> Iterator[TaskError]:
    known = PLAIN_ATTRIBUTES | api_attributes()
    if isinstance(node.value, ast.Name) and node.value.id == "self":
        known = known | own
    if isinstance(node.value, ast.Name) and node.value.id == "math":
        known = math_names()
    if node.attr in ("format", "format_map"):
        problem = f"the method {node.attr} is not allowed"
        yield refuse(node, problem, 'Use an f-string: f"the {item}".')
    elif node.attr in FORBIDDEN_ATTRIBUTES:
        known = known - FORBIDDEN_ATTRIBUTES
        remedy = suggest(node.attr, known, "Choose another name if you define it yourself")
        yield refuse(node, f"the attribute {node.attr} is not allowed", remedy)
    elif node.attr not in known and not node.attr.startswith("_"):
        problem = f"the attribute {node.attr} is not known"
        yield refuse(node, problem, suggest(node.attr, known, "See the reference of the API"))
