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
    wanted = syntax_tree(source)
    for node in ast.walk(wanted):
        if isinstance(node, ast.ClassDef) and node.name == old:
            node.name = new
        elif isinstance(node, ast.Name) and node.id == old:
            node.id = new
    if ast.dump(syntax_tree(renamed)) != ast.dump(wanted):
        raise LibraryError(
            f"{old} is also the name of something else in the program, or stands in an f-string. "
            "Edit a copy of the program and publish that"
        )
    check(renamed)
    return renamed
