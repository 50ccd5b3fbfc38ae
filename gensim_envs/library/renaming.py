"""Rename the class of a task program."""

from __future__ import annotations

import ast
import io
import tokenize

from gensim_envs.errors import LibraryError
from gensim_envs.library.records import CLASS_NAME


def rename_class(source: str, old: str, new: str) -> str:
    """Return a program whose class has a new name and which is otherwise the same.

    Args:
        source: the program.
        old: name of its class.
        new: the new name, in CamelCase.

    Raises:
        LibraryError: the new name is malformed, is in use in the program, or cannot be set
            without changing what the program does.
        TaskError: the gate refuses the renamed program.
    """
    from gensim_envs.sandbox.gate import check, syntax_tree  # not needed to list tasks

    if not CLASS_NAME.fullmatch(new):
        raise LibraryError(f"{new!r:.60} is not a class name in CamelCase, such as BuildWheel")
    lines = list(io.StringIO(source, newline=""))
    tokens = tokenize.generate_tokens(iter(lines).__next__)
    names = [token for token in tokens if token.type == tokenize.NAME]
    if new in {token.string for token in names}:
        raise LibraryError(f"the program uses the name {new} already. Choose another one")
    for token in reversed([token for token in names if token.string == old]):
        row, column = token.start
        line = lines[row - 1]
        lines[row - 1] = line[:column] + new + line[column + len(old) :]
    renamed = "".join(lines)
    if ast.dump(syntax_tree(renamed)) != ast.dump(_Rename(old, new).visit(syntax_tree(source))):
        raise LibraryError(
            f"{old} is also the name of something else in the program, or stands in an f-string. "
            "Edit a copy of the program and publish that"
        )
    check(renamed)
    return renamed


class _Rename(ast.NodeTransformer):
    """Rename a class and every reference to it."""

    def __init__(self, old: str, new: str) -> None:
        self._names = {old: new}

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.name = self._names.get(node.name, node.name)
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._names.get(node.id, node.id)
        return node
