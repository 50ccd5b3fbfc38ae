"""The gate for programs of the original GenSim: another dialect, as strict as that of our own.

It allows what such programs need beyond ours: `super().reset(env)`, attributes of `self`, `while`,
`.format` (which runs restricted), and imports of the modules for which there are stand-ins.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from gensim_envs.errors import TaskError
from gensim_envs.sandbox import gate
from gensim_envs.sandbox.legacy import facade, recorder
from gensim_envs.sandbox.rules.names import (
    binding_offences,
    bound_names,
    class_names,
    inside_out,
    names_in,
)
from gensim_envs.sandbox.rules.nodes import (
    ALLOWED_NODES,
    definition_offences,
    expression_offences,
    in_order,
)
from gensim_envs.sandbox.rules.refusals import refuse, word
from gensim_envs.sandbox.rules.structure import class_name_offences
from gensim_envs.sandbox.vocabulary import (
    ALLOWED_BUILTINS,
    FORBIDDEN_ATTRIBUTES,
    PLAIN_ATTRIBUTES,
    suggest,
)

_BUILTINS = ALLOWED_BUILTINS | {"print", "super"}
_METHODS = ("__init__", "reset")
_ARRAYS = (
    *("T", "all", "any", "argmax", "argmin", "astype", "dot", "flatten", "item", "max", "mean"),
    *("min", "ndim", "prod", "reshape", "round", "shape", "size", "sum", "tolist", "transpose"),
    *("format", "splitlines", "isdigit", "clear", "rstrip", "lstrip"),
)
_ATTRIBUTES = frozenset((*_ARRAYS, *PLAIN_ATTRIBUTES, *recorder.public_names()))


def check(source: str) -> gate.Program:
    """Read a program without running any of it.

    Raises:
        TaskError: cause "parse" or "gate", with the line of the first offence and a remedy.
    """
    tree = gate.read(source)
    return gate.passed(source, tree, (_structure(tree), _nodes(tree), _names(tree)))


def _structure(tree: ast.Module) -> Iterator[TaskError]:
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    if len(classes) != 1:
        problem = f"the program defines {len(classes)} classes instead of one"
        yield refuse(1, problem, "Import one task at a time.")
    for task in classes:
        bases = [ast.unparse(base).rpartition(".")[2] for base in task.bases]
        if bases != ["Task"] or task.keywords:
            yield refuse(task, f"{task.name} does not derive from Task alone", "Import such tasks.")
        methods = {node.name for node in task.body if isinstance(node, ast.FunctionDef)}
        if "reset" not in methods:
            yield refuse(task, f"{task.name} has no method reset", "Define reset(self, env).")
    for node in tree.body:
        allowed = (
            ast.Import, ast.ImportFrom, ast.ClassDef, ast.FunctionDef, ast.Assign, ast.Expr,
        )  # fmt: skip
        if not isinstance(node, allowed):
            yield refuse(node, f"{word(node)} is not allowed at module level", "Move it to reset.")


def _nodes(tree: ast.Module) -> Iterator[TaskError]:
    line = 1
    methods = [m for node in tree.body if isinstance(node, ast.ClassDef) for m in node.body]
    known = {id(node) for node in methods if isinstance(node, ast.FunctionDef)}
    known |= {id(node) for node in tree.body}
    for node in in_order(tree):
        line = getattr(node, "lineno", line)
        if not isinstance(node, (*ALLOWED_NODES, ast.While)):
            yield refuse(line, f"{word(node)} is not allowed", "Remove it.")
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield from _import(node, alias.name)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                there = inner in facade.MODULES or alias.name in _ATTRIBUTES
                yield from _import(node, "." * node.level + (node.module or ""))
                if not there:
                    problem = f"there is no stand-in for {inner}"
                    yield refuse(node, problem, suggest(alias.name, _ATTRIBUTES, "Remove it"))
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            if not (isinstance(node.value, ast.Name) and node.value.id == "self"):
                yield refuse(node, f"the attribute {node.attr} is assigned to", "Use a variable.")
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield from definition_offences(node)
            if isinstance(node, ast.ClassDef):
                yield from class_name_offences(node)
            if id(node) not in known:
                yield refuse(node, f"{word(node)} {node.name} is nested", "Move it out.")
        else:
            yield from expression_offences(node)


def _import(node: ast.AST, module: str) -> Iterator[TaskError]:
    if module not in facade.MODULES:
        known = ", ".join(facade.MODULES)
        yield refuse(node, f"there is no stand-in for {module}", f"There are those of {known}.")


def _names(tree: ast.Module) -> Iterator[TaskError]:
    bound = bound_names(tree)
    supers: set[int] = set()
    stored = {
        node.attr for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }  # fmt: skip
    for node in ast.walk(tree):
        # super().__init__() and super().reset(env), and formats that are called at once.
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            inner = node.func.value
            if node.func.attr == "format":
                supers.add(id(node.func))
            elif (
                isinstance(inner, ast.Call)
                and isinstance(inner.func, ast.Name)
                and inner.func.id == "super"
                and not (inner.args or inner.keywords)
                and node.func.attr in _METHODS
            ):
                supers |= {id(inner.func), id(node.func)}
        elif isinstance(node, ast.FunctionDef) and node.name == "__init__":
            supers.add(id(node))
    own = stored | class_names(tree)
    yield from binding_offences(tree)
    for node in inside_out(tree):
        for name in names_in(node):
            if name.startswith("_") and name != "_" and id(node) not in supers:
                yield refuse(node, f"the name {name[:80]} starts with an underscore", "Rename it.")
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            known = node.id in bound or node.id in _BUILTINS
            if not known or (node.id == "super" and id(node) not in supers):
                yield refuse(node, f"{node.id} is not available", "Define it, or leave it out.")
        elif isinstance(node, ast.Attribute) and id(node) not in supers:
            on_self = isinstance(node.value, ast.Name) and node.value.id == "self"
            own_name = on_self and node.attr in own - FORBIDDEN_ATTRIBUTES
            known = node.attr in _ATTRIBUTES or own_name
            if (not known or node.attr == "format") and not node.attr.startswith("_"):
                problem = f"the attribute {node.attr[:80]} is not known"
                yield refuse(node, problem, suggest(node.attr, _ATTRIBUTES, "Leave it out"))
