"""Which syntax a program may use, and with which values."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from gensim_envs.errors import TaskError
from gensim_envs.sandbox.rules.refusals import is_text, refuse, word
from gensim_envs.sandbox.vocabulary import api_names, math_names, suggest

MAX_INT = 10**9
MAX_TEXT = 2_000  # characters of one string
MAX_EXPONENT = 10

_MUTE = "Remove it: a task program only describes a scene."
_REMEDIES: dict[type[ast.AST], str] = {
    ast.While: "Use `for ... in range(n)`.",
    ast.Try: "Do not catch errors: the suite redraws a scene that does not fit.",
    ast.Global: "Pass the value as an argument.",
    ast.Nonlocal: "Pass the value as an argument.",
    ast.Raise: "Use `assert condition` or leave the check to the suite.",
    ast.Match: "Use `if` and `elif`.",
    ast.AsyncFunctionDef: "Use a plain `def`.",
    ast.AsyncFor: "Use a plain `for`.",
    ast.Yield: "Build a list and return it.",
    ast.YieldFrom: "Build a list and return it.",
    ast.Lambda: "Define a function with `def` at module level.",
    ast.NamedExpr: "Assign on a line of its own.",
    ast.Set: "Use a tuple or a list: the order of a set is not fixed.",
    ast.SetComp: "Use a list: the order of a set is not fixed.",
    ast.LShift: "Use multiplication.",
    ast.RShift: "Use integer division.",
}
"""Remedies for syntax nodes that need more than the general one."""

ALLOWED_NODES = (
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

_ANNOTATION_NODES = (
    *(ast.Name, ast.Load, ast.Subscript, ast.Constant, ast.Tuple, ast.List, ast.BinOp, ast.BitOr),
)
FORMAT_SPEC = re.compile(r"[+ ]?0?\d?\d?,?(\.\d\d?)?[bdefgs%]?", re.ASCII)


def node_offences(tree: ast.Module) -> Iterator[TaskError]:
    """Offences of single nodes, roughly in the order of their lines."""
    top = {id(node) for node in tree.body}
    methods = {
        id(method) for node in tree.body if isinstance(node, ast.ClassDef) for method in node.body
    }
    line = 1
    for node in in_order(tree):
        line = getattr(node, "lineno", line)
        if not isinstance(node, ALLOWED_NODES):
            yield refuse(line, f"{word(node)} is not allowed", _REMEDIES.get(type(node), _MUTE))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from _import_offences(node, at_top=id(node) in top)
        elif isinstance(node, ast.ClassDef) and id(node) not in top:
            yield refuse(node, f"the class {node.name} is nested", "Define only the task class.")
        elif isinstance(node, ast.FunctionDef) and id(node) not in top | methods:
            yield refuse(node, f"the function {node.name} is nested", "Move it to module level.")
        else:
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                problem = f"the attribute {node.attr} is assigned to"
                remedy = "Keep the value in a local variable: build is pure."
                yield refuse(node, problem, remedy)
            yield from expression_offences(node)
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield from definition_offences(node)


def in_order(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes, depth first, so that a node without a line follows one that has it."""
    yield node
    for child in ast.iter_child_nodes(node):
        yield from in_order(child)


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


def definition_offences(node: ast.FunctionDef | ast.ClassDef) -> Iterator[TaskError]:
    """Decorators, and default arguments that are not literals."""
    if node.decorator_list:
        yield refuse(node.decorator_list[0], "decorators are not allowed", "Remove it.")
    if isinstance(node, ast.ClassDef):
        return
    for default in (*node.args.defaults, *node.args.kw_defaults):
        if not (default is None or _is_plain(default)):
            yield refuse(
                default, "a default argument that is not a literal", "Use a number or text."
            )


def expression_offences(node: ast.AST) -> Iterator[TaskError]:
    """Offences of literals, operators, formats and annotations."""
    if isinstance(node, ast.Constant):
        yield from _literal_offences(node)
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
                problem = f"{word(part)} is not allowed in an annotation"
                yield refuse(node, problem, "Name a type, or leave the annotation out.")


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
            yield refuse(node, "a power whose exponent is not a small number", remedy)
    elif isinstance(node.op, ast.Mod) and (isinstance(left, ast.JoinedStr) or is_text(left)):
        yield refuse(node, "% on a text is not allowed", 'Use an f-string: f"the {item}".')


def _format_offences(node: ast.FormattedValue) -> Iterator[TaskError]:
    if node.conversion != -1:
        yield refuse(node, "a conversion such as !r is not allowed", "Remove it.")
    if node.format_spec is None:
        return
    parts = node.format_spec.values if isinstance(node.format_spec, ast.JoinedStr) else [node]
    text = "".join(str(part.value) for part in parts if isinstance(part, ast.Constant))
    plain = all(isinstance(part, ast.Constant) for part in parts)
    if not (plain and FORMAT_SPEC.fullmatch(text)):
        yield refuse(node, "this format is not allowed", "Use a simple one such as :.2f.")


def _is_plain(node: ast.expr) -> bool:
    """A literal, a signed one, or a tuple of them."""
    if isinstance(node, ast.Tuple):
        return all(_is_plain(part) for part in node.elts)
    if isinstance(node, ast.UnaryOp):
        node = node.operand
    return isinstance(node, ast.Constant)
