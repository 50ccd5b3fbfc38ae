"""Errors of the gate, and names of syntax nodes for their messages."""

from __future__ import annotations

import ast
import re

from gensim_envs.errors import TaskError

_WORDS: dict[type[ast.AST], str] = {
    ast.Import: "an import", ast.ImportFrom: "an import", ast.Call: "a call", ast.For: "a loop",
    ast.TryStar: "except*", ast.Delete: "del", ast.JoinedStr: "an f-string",
    ast.AsyncFunctionDef: "async def", ast.NamedExpr: "the operator :=", ast.Set: "a set",
    ast.SetComp: "a set comprehension", ast.ListComp: "a list comprehension",
    ast.DictComp: "a dict comprehension", ast.GeneratorExp: "a generator",
    ast.LShift: "the operator <<", ast.RShift: "the operator >>",
}  # fmt: skip
"""Names of syntax nodes whose class name is unclear: `ast.YieldFrom` is "yield from"."""


def refuse(node: ast.AST | int, problem: str, remedy: str) -> TaskError:
    """The gate's error about a node or line."""
    line = node if isinstance(node, int) else getattr(node, "lineno", 1)
    return TaskError(problem, remedy, cause="gate", line=line)


def word(node: ast.AST) -> str:
    """Return the name of a syntax node for an error."""
    kind = type(node)
    return _WORDS.get(kind) or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind.__name__).lower()


def target(node: ast.stmt) -> str | None:
    """The one name that a plain or annotated assignment binds, or None."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        bound: ast.expr = node.targets[0]
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        bound = node.target
    else:
        return None
    return bound.id if isinstance(bound, ast.Name) else None


def is_text(node: ast.AST | None) -> bool:
    """Whether this is a string literal, or a statement that is only one."""
    value = node.value if isinstance(node, ast.Expr) else node
    return isinstance(value, ast.Constant) and isinstance(value.value, str)
