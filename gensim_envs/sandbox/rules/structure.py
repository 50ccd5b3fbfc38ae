"""The shape of a program: imports, constants, functions, and one class with a build method."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from gensim_envs.errors import TaskError
from gensim_envs.sandbox.rules.refusals import is_text, refuse, target, word

MAX_NAME = 80
_CONSTANT_NODES = (
    *(ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.UnaryOp, ast.BinOp, ast.Name, ast.Load),
    *(ast.operator, ast.unaryop),
)


def class_name_offences(task: ast.ClassDef) -> Iterator[TaskError]:
    """A name too long for that of a file."""
    if len(task.name) > MAX_NAME:
        problem = f"the class name has over {MAX_NAME} characters"
        yield refuse(task, problem, "Shorten it: files are named after it.")


def module_offences(tree: ast.Module) -> Iterator[TaskError]:
    """Offences against the shape of the module and of its class."""
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    if len(classes) != 1:
        where = classes[1] if classes else 1
        yield refuse(
            where,
            f"the program defines {len(classes)} classes instead of one",
            "Define exactly one class that derives from Task.",
        )
    for index, node in enumerate(tree.body):
        if isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef):
            continue
        if isinstance(node, ast.ClassDef):
            yield from _class_offences(node)
        elif not (index == 0 and is_text(node)):
            yield from _constant_offences(node, "module level")


def _class_offences(task: ast.ClassDef) -> Iterator[TaskError]:
    bases = [base.id for base in task.bases if isinstance(base, ast.Name)]
    if bases != ["Task"] or len(task.bases) != 1 or task.keywords:
        yield refuse(
            task, f"{task.name} does not derive from Task alone", f"Write class {task.name}(Task):."
        )
    if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", task.name):
        yield refuse(
            task, f"{task.name} is not a class name in CamelCase", "Write it like BuildWheel."
        )
    yield from class_name_offences(task)
    methods = [node for node in task.body if isinstance(node, ast.FunctionDef)]
    builds = [method for method in methods if method.name == "build"]
    if len(builds) != 1:
        problem = f"{task.name} has {len(builds)} methods named build"
        yield refuse(task, problem, "Define def build(self, scene: Scene) -> None: once.")
    for method in methods:
        names = [arg.arg for arg in (*method.args.posonlyargs, *method.args.args)]
        if names[:1] != ["self"]:
            yield refuse(
                method, f"{method.name} does not take self", "Make self its first argument."
            )
        if method.name == "build" and (names != ["self", "scene"] or _has_more(method.args)):
            yield refuse(method, "build takes self and scene", "Write def build(self, scene):.")
    for index, node in enumerate(task.body):
        is_version = target(node) == "version"
        if isinstance(node, ast.FunctionDef) or (index == 0 and is_text(node)):
            continue
        if is_version and not _is_version(node):
            yield refuse(node, "version is not a whole number from 0", "Write version = 0.")
        elif not is_version and not isinstance(node, ast.Pass):
            yield from _constant_offences(node, "class level")


def _constant_offences(node: ast.stmt, where: str) -> Iterator[TaskError]:
    """Everything but `UPPER_CASE = literals and arithmetic` is an offence."""
    name = target(node)
    if name is None:
        what = word(node.value if isinstance(node, ast.Expr) else node)
        remedy = "Move it into build, or make it a constant such as RADIUS = 0.1."
        yield refuse(node, f"{what} is not allowed at {where}", remedy)
    elif not re.fullmatch(r"[A-Z][A-Z0-9_]*", name):
        remedy = f"Write {name.upper()}, or move it into build."
        yield refuse(node, f"{name} is not a constant, as required at {where}", remedy)
    value = getattr(node, "value", None)
    if name is None or value is None:
        return
    for part in ast.walk(value):
        if not isinstance(part, _CONSTANT_NODES):
            remedy = "Use numbers, text, tuples and arithmetic, or move it into build."
            yield refuse(node, f"{word(part)} is not allowed in a constant", remedy)
            return


def _is_version(node: ast.stmt) -> bool:
    value = getattr(node, "value", None)
    return isinstance(value, ast.Constant) and type(value.value) is int and value.value <= 10_000


def _has_more(arguments: ast.arguments) -> bool:
    more = (arguments.vararg, arguments.kwarg, *arguments.kwonlyargs, *arguments.defaults)
    return any(part is not None for part in more)
