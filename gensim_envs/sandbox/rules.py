"""The rules of the gate: what each part of a program's syntax tree may be.

Anything that is not listed here is refused, so a new Python version cannot add a hole.
"""

from __future__ import annotations

import ast
import builtins
import itertools
import re
from collections.abc import Iterator

from gensim_envs.errors import TaskError
from gensim_envs.sandbox.vocabulary import (
    ALLOWED_BUILTINS,
    PLAIN_ATTRIBUTES,
    api_attributes,
    api_names,
    math_names,
    suggest,
)

MAX_INT = 10**9
MAX_TEXT = 2_000  # characters of one string
MAX_EXPONENT = 10

_MUTE = "Remove it: a task program only describes a scene."
_REMEDIES: dict[type[ast.AST], str] = {
    ast.While: "Use `for ... in range(n)`.",
    ast.Try: "Do not catch errors: the suite redraws a scene that does not fit.",
    ast.With: _MUTE,
    ast.Global: "Pass the value as an argument.",
    ast.Nonlocal: "Pass the value as an argument.",
    ast.Delete: _MUTE,
    ast.Raise: "Use `assert condition` or leave the check to the suite.",
    ast.Match: "Use `if` and `elif`.",
    ast.AsyncFunctionDef: "Use a plain `def`.",
    ast.AsyncFor: "Use a plain `for`.",
    ast.AsyncWith: _MUTE,
    ast.Await: _MUTE,
    ast.Yield: "Build a list and return it.",
    ast.YieldFrom: "Build a list and return it.",
    ast.Lambda: "Define a function with `def` at module level.",
    ast.NamedExpr: "Assign on a line of its own.",
    ast.Set: "Use a tuple or a list: the order of a set is not fixed.",
    ast.SetComp: "Use a list: the order of a set is not fixed.",
    ast.LShift: "Use multiplication.",
    ast.RShift: "Use integer division.",
}
"""Refused syntax for which there is something better to say than the general remedy."""

_ALLOWED_NODES = (
    # structure
    *(ast.Module, ast.Import, ast.ImportFrom, ast.alias, ast.ClassDef, ast.FunctionDef),
    *(ast.arguments, ast.arg, ast.keyword),
    # statements
    *(ast.Assign, ast.AugAssign, ast.AnnAssign, ast.For, ast.If, ast.Expr, ast.Return),
    *(ast.Pass, ast.Break, ast.Continue, ast.Assert),
    # expressions
    *(ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.IfExp, ast.Compare, ast.Call, ast.Constant),
    *(ast.Dict, ast.List, ast.Tuple, ast.ListComp, ast.DictComp, ast.GeneratorExp),
    *(ast.comprehension, ast.JoinedStr, ast.FormattedValue, ast.Attribute, ast.Subscript),
    *(ast.Slice, ast.Starred, ast.Name, ast.Load, ast.Store),
    # operators
    *(ast.boolop, ast.cmpop, ast.UAdd, ast.USub, ast.Not, ast.Add, ast.Sub, ast.Mult, ast.Div),
    *(ast.FloorDiv, ast.Mod, ast.Pow, ast.BitOr, ast.MatMult),
)

_CONSTANT_NODES = (
    *(ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.UnaryOp, ast.BinOp, ast.Name, ast.Load),
    *(ast.operator, ast.unaryop),
)
_ANNOTATION_NODES = (
    *(ast.Name, ast.Load, ast.Subscript, ast.Constant, ast.Tuple, ast.List, ast.BinOp, ast.BitOr),
)
_FORMAT_SPEC = re.compile(r"[+ ]?0?\d?\d?,?(\.\d\d?)?[bdefgs%]?", re.ASCII)

_WORDS: dict[type[ast.AST], str] = {
    ast.Import: "an import",
    ast.ImportFrom: "an import",
    ast.Call: "a call",
    ast.For: "a loop",
    ast.While: "while",
    ast.If: "if",
    ast.Try: "try",
    ast.TryStar: "except*",
    ast.With: "with",
    ast.Global: "global",
    ast.Nonlocal: "nonlocal",
    ast.Raise: "raise",
    ast.Match: "match",
    ast.Delete: "del",
    ast.Await: "await",
    ast.Yield: "yield",
    ast.YieldFrom: "yield from",
    ast.Lambda: "lambda",
    ast.AsyncFunctionDef: "async def",
    ast.AsyncFor: "async for",
    ast.AsyncWith: "async with",
    ast.NamedExpr: "the operator :=",
    ast.Set: "a set",
    ast.SetComp: "a set comprehension",
    ast.ListComp: "a list comprehension",
    ast.DictComp: "a dict comprehension",
    ast.GeneratorExp: "a generator",
    ast.JoinedStr: "an f-string",
    ast.LShift: "the operator <<",
    ast.RShift: "the operator >>",
}


def first_offence(tree: ast.Module) -> TaskError | None:
    """What is wrong with a program, of several things that in the earliest line.

    Args:
        tree: not deep, since nested tuples and annotations are walked by recursion.
    """
    rules = (_module_offences(tree), _node_offences(tree), _name_offences(tree))
    # Few of each, which come in roughly the order of their lines: searching for what was meant
    # takes a millisecond a name, and a hostile program may hold thousands.
    found = [offence for rule in rules for offence in itertools.islice(rule, 20)]
    return min(found, key=lambda offence: offence.line or 1, default=None)


def refuse(node: ast.AST | int, problem: str, remedy: str) -> TaskError:
    """The gate's error about a node or line."""
    line = node if isinstance(node, int) else getattr(node, "lineno", 1)
    return TaskError(problem, remedy, cause="gate", line=line)


def _word(node: ast.AST) -> str:
    return _WORDS.get(type(node), type(node).__name__)


def target(node: ast.stmt) -> str | None:
    """The one name that a plain or annotated assignment binds, or None."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        bound: ast.expr = node.targets[0]
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        bound = node.target
    else:
        return None
    return bound.id if isinstance(bound, ast.Name) else None


# --- the shape of the module and of the class -------------------------------------------------


def _module_offences(tree: ast.Module) -> Iterator[TaskError]:
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
        elif not (index == 0 and _is_text(node)):
            yield from _constant_offences(node, "module level")


def _class_offences(task: ast.ClassDef) -> Iterator[TaskError]:
    bases = [base.id for base in task.bases if isinstance(base, ast.Name)]
    if bases != ["Task"] or len(task.bases) != 1 or task.keywords:
        yield refuse(
            task, f"{task.name} does not derive from Task alone", f"Write class {task.name}(Task):."
        )
    if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", task.name):
        yield refuse(task, f"{task.name} is no name for a task", "Write it like BuildWheel.")
    methods = [node for node in task.body if isinstance(node, ast.FunctionDef)]
    builds = [method for method in methods if method.name == "build"]
    if len(builds) != 1:
        problem = f"{task.name} has {len(builds)} methods named build"
        yield refuse(task, problem, "Define def build(self, scene: Scene) -> None: once.")
    for method in methods:
        names = [arg.arg for arg in (*method.args.posonlyargs, *method.args.args)]
        if names[:1] != ["self"]:
            yield refuse(method, f"{method.name} is no method", "Make self its first argument.")
        if method.name == "build" and (names != ["self", "scene"] or _has_more(method.args)):
            yield refuse(method, "build takes self and scene", "Write def build(self, scene):.")
    for index, node in enumerate(task.body):
        is_version = target(node) == "version"
        if isinstance(node, ast.FunctionDef) or (index == 0 and _is_text(node)):
            continue
        if is_version and not _is_version(node):
            yield refuse(node, "version is no whole number from 0", "Write version = 0.")
        elif not is_version and not isinstance(node, ast.Pass):
            yield from _constant_offences(node, "class level")


def _constant_offences(node: ast.stmt, where: str) -> Iterator[TaskError]:
    """Everything but `UPPER_CASE = literals and arithmetic` is an offence."""
    name = target(node)
    if name is None:
        what = _word(node.value if isinstance(node, ast.Expr) else node)
        remedy = "Move it into build, or make it a constant such as RADIUS = 0.1."
        yield refuse(node, f"{what} is not allowed at {where}", remedy)
    elif not re.fullmatch(r"[A-Z][A-Z0-9_]*", name):
        remedy = f"Write {name.upper()}, or move it into build."
        yield refuse(node, f"{name} is no constant, as needed at {where}", remedy)
    value = getattr(node, "value", None)
    if name is None or value is None:
        return
    for part in ast.walk(value):
        if not isinstance(part, _CONSTANT_NODES):
            remedy = "Use numbers, text, tuples and arithmetic, or move it into build."
            yield refuse(node, f"{_word(part)} is not allowed in a constant", remedy)
            return


def _is_text(node: ast.AST | None) -> bool:
    """A text, or the statement that is only a text."""
    value = node.value if isinstance(node, ast.Expr) else node
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def _is_version(node: ast.stmt) -> bool:
    value = getattr(node, "value", None)
    return isinstance(value, ast.Constant) and type(value.value) is int and value.value <= 10_000


def _has_more(arguments: ast.arguments) -> bool:
    more = (arguments.vararg, arguments.kwarg, *arguments.kwonlyargs, *arguments.defaults)
    return any(part is not None for part in more)


# --- each node --------------------------------------------------------------------------------


def _node_offences(tree: ast.Module) -> Iterator[TaskError]:
    top = {id(node) for node in tree.body}
    methods = {
        id(method) for node in tree.body if isinstance(node, ast.ClassDef) for method in node.body
    }
    line = 1
    for node in _in_order(tree):
        line = getattr(node, "lineno", line)
        if not isinstance(node, _ALLOWED_NODES):
            yield refuse(line, f"{_word(node)} is not allowed", _REMEDIES.get(type(node), _MUTE))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from _import_offences(node, at_top=id(node) in top)
        elif isinstance(node, ast.ClassDef) and id(node) not in top:
            yield refuse(node, f"the class {node.name} is nested", "Define only the task class.")
        elif isinstance(node, ast.FunctionDef) and id(node) not in top | methods:
            yield refuse(node, f"the function {node.name} is nested", "Move it to module level.")
        else:
            yield from _expression_offences(node)
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield from _definition_offences(node)


def _in_order(tree: ast.Module) -> Iterator[ast.AST]:
    """All nodes, depth first, so that a node without a line follows one that has it."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(list(ast.iter_child_nodes(node))))


def _import_offences(node: ast.Import | ast.ImportFrom, *, at_top: bool) -> Iterator[TaskError]:
    remedy = "Import only names from gensim_envs.api, and math."
    if not at_top:
        yield refuse(node, "an import inside a function or class", "Move it to the top.")
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.name != "math":
                yield refuse(node, f"import {alias.name} is not allowed", remedy)
        return
    module = "." * node.level + (node.module or "")
    if module not in ("gensim_envs.api", "math"):
        yield refuse(node, f"an import from {module} is not allowed", remedy)
        return
    known = math_names() if module == "math" else api_names()
    for alias in node.names:
        if alias.name == "*":
            yield refuse(node, "a star import is not allowed", "Name what you import.")
        elif alias.name not in known:
            problem = f"{module} has no {alias.name}"
            yield refuse(node, problem, suggest(alias.name, known, "Use another name of it"))


def _definition_offences(node: ast.FunctionDef | ast.ClassDef) -> Iterator[TaskError]:
    if node.decorator_list:
        yield refuse(node.decorator_list[0], "decorators are not allowed", "Remove it.")
    if isinstance(node, ast.ClassDef):
        return
    for default in (*node.args.defaults, *node.args.kw_defaults):
        if not (default is None or _is_plain(default)):
            yield refuse(default, "a default argument that is no literal", "Use a number or text.")


def _expression_offences(node: ast.AST) -> Iterator[TaskError]:
    if isinstance(node, ast.Constant):
        yield from _literal_offences(node)
    elif isinstance(node, ast.Attribute):
        if isinstance(node.ctx, ast.Store):
            problem = f"the attribute {node.attr} is assigned to"
            yield refuse(node, problem, "Keep the value in a local variable: build is pure.")
    elif isinstance(node, ast.BinOp | ast.AugAssign):
        yield from _operator_offences(node)
    elif isinstance(node, ast.FormattedValue):
        yield from _format_offences(node)
    elif isinstance(node, ast.comprehension) and node.is_async:
        yield refuse(node.target, "async is not allowed", "Use a plain for.")
    elif isinstance(node, ast.arg | ast.AnnAssign | ast.FunctionDef):
        annotation = node.returns if isinstance(node, ast.FunctionDef) else node.annotation
        for part in ast.walk(annotation) if annotation is not None else ():
            if not isinstance(part, _ANNOTATION_NODES):
                problem = f"{_word(part)} is not allowed in an annotation"
                yield refuse(node, problem, "Name a type, or leave the annotation away.")


def _literal_offences(node: ast.Constant) -> Iterator[TaskError]:
    value = node.value
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            yield refuse(node, f"a text of over {MAX_TEXT} characters", "Shorten it.")
    elif isinstance(value, int | float):
        if not abs(value) <= MAX_INT:
            yield refuse(node, f"a number above {MAX_INT:,}", "Use metres and radians.")
    elif value is not None:
        yield refuse(node, f"a {type(value).__name__} literal is not allowed", _MUTE)


def _operator_offences(node: ast.BinOp | ast.AugAssign) -> Iterator[TaskError]:
    left = node.left if isinstance(node, ast.BinOp) else None
    right = node.right if isinstance(node, ast.BinOp) else node.value
    if isinstance(node.op, ast.Pow):
        power = right.operand if isinstance(right, ast.UnaryOp) else right
        value = power.value if isinstance(power, ast.Constant) else None
        if not (isinstance(value, int | float) and abs(value) <= MAX_EXPONENT):
            remedy = f"Use a literal exponent of at most {MAX_EXPONENT}."
            yield refuse(node, "a power whose exponent is no small number", remedy)
    elif isinstance(node.op, ast.Mod) and (isinstance(left, ast.JoinedStr) or _is_text(left)):
        yield refuse(node, "% on a text is not allowed", 'Use an f-string: f"the {item}".')


def _format_offences(node: ast.FormattedValue) -> Iterator[TaskError]:
    if node.conversion != -1:
        yield refuse(node, "a conversion such as !r is not allowed", "Remove it.")
    if node.format_spec is None:
        return
    parts = node.format_spec.values if isinstance(node.format_spec, ast.JoinedStr) else [node]
    text = "".join(str(part.value) for part in parts if isinstance(part, ast.Constant))
    plain = all(isinstance(part, ast.Constant) for part in parts)
    if not (plain and _FORMAT_SPEC.fullmatch(text)):
        yield refuse(node, "this format is not allowed", "Use a simple one such as :.2f.")


def _is_plain(node: ast.expr) -> bool:
    """A literal, a signed one, or a tuple of them."""
    if isinstance(node, ast.Tuple):
        return all(_is_plain(part) for part in node.elts)
    if isinstance(node, ast.UnaryOp):
        node = node.operand
    return isinstance(node, ast.Constant)


# --- names and attributes ---------------------------------------------------------------------


def _name_offences(tree: ast.Module) -> Iterator[TaskError]:
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


def _inside_out(tree: ast.Module) -> list[ast.AST]:
    """All nodes, each after its parts: of `a.b.c` the first unknown name is then the one named."""
    order: list[ast.AST] = []
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        order.append(node)
        waiting.extend(ast.iter_child_nodes(node))
    return order[::-1]


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
    """The identifiers that stand in this very node."""
    fields = ("id", "attr", "arg", "name", "asname")
    values = (getattr(node, field, None) for field in fields)
    return [value for value in values if isinstance(value, str)]


def _unknown_name(node: ast.Name) -> TaskError:
    if node.id in api_names():
        remedy = f"Add {node.id} to the import from gensim_envs.api."
        return refuse(node, f"{node.id} is not imported", remedy)
    if hasattr(builtins, node.id):
        allowed = ", ".join(sorted(ALLOWED_BUILTINS))
        return refuse(node, f"{node.id} is not available", f"Of the built-ins there are {allowed}.")
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
