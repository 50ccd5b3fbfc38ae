"""The gate: check by an allow-list over the syntax tree that a text is a task program.

It finds mistakes early and reports them so that a language model can act on them. It is not the
security boundary, which is the worker. It must be strict, fast and impossible to crash, since it
reads the program in the user's own process. It parses and never compiles.
"""

from __future__ import annotations

import ast
import io
import itertools
import re
import threading
import tokenize
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gensim_envs.errors import TaskError
from gensim_envs.sandbox.rules.names import name_offences
from gensim_envs.sandbox.rules.nodes import node_offences
from gensim_envs.sandbox.rules.refusals import refuse, target
from gensim_envs.sandbox.rules.structure import module_offences
from gensim_envs.utils.answers import without_reasoning

MAX_BYTES = 20_000
MAX_DEPTH = 40  # levels of the syntax tree; the deepest hand-written task needs about 15

PARSER = threading.Lock()
"""Held while a thread parses: some Pythons (3.11.7 for one) count levels for all threads together,
and two that parse at once end with SystemError."""


def syntax_tree(source: str) -> ast.Module:
    """`ast.parse`, one thread at a time."""
    with PARSER:
        return ast.parse(source)


@dataclass(frozen=True)
class Program:
    """A program that passed the gate.

    Attributes:
        source: the text, unchanged.
        class_name: name of its one task class, such as "BuildWheel".
        docstring: of the class, else of the module, else "".
        version: the N of "gensim/BuildWheel-vN".
    """

    source: str
    class_name: str
    docstring: str
    version: int


def check(source: str) -> Program:
    """Read a task program without running any of it.

    Args:
        source: the program's text.

    Raises:
        TaskError: cause "parse" if it is not Python, "gate" if it is Python but not a task program;
            with the line of the first offence and a remedy.
    """
    tree = read(source)
    return passed(source, tree, (module_offences(tree), node_offences(tree), name_offences(tree)))


def passed(source: str, tree: ast.Module, rules: Iterable[Iterator[TaskError]]) -> Program:
    """The program of a tree in which no rule finds an offence.

    Raises:
        TaskError: the offence with the lowest line.
    """
    # Few of each, which come in roughly the order of their lines: searching for what was meant
    # takes a millisecond a name, and a hostile program may hold thousands.
    offences = [offence for rule in rules for offence in itertools.islice(rule, 20)]
    if offences:
        raise min(offences, key=lambda offence: offence.line or 1)
    task = next(node for node in tree.body if isinstance(node, ast.ClassDef))
    docstring = ast.get_docstring(task) or ast.get_docstring(tree) or ""
    return Program(source, task.name, docstring, _version(task))


def read(source: str) -> ast.Module:
    """Parse a program that is short enough, not too deep, and has plain names.

    Raises:
        TaskError: cause "parse" or "gate".
    """
    tree = _parse(source)
    _check_depth(tree)
    _check_identifiers(source)
    return tree


def _version(task: ast.ClassDef) -> int:
    for node in task.body:
        if target(node) == "version":
            value = getattr(getattr(node, "value", None), "value", None)
            return value if isinstance(value, int) else 0
    return 0


# --- text -> tree ---------------------------------------------------------------------------


def _parse(source: str) -> ast.Module:
    if len(source) > MAX_BYTES or len(source.encode("utf-8", "replace")) > MAX_BYTES:
        raise refuse(1, f"the program is longer than {MAX_BYTES} bytes", "Write a shorter one.")
    if not source.strip():
        raise TaskError(
            "the program is empty", "Write a class that derives from Task.", cause="parse", line=1
        )
    bad = re.search(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufeff]", source.replace("\r\n", "\n"))
    if bad is not None:
        line = source.count("\n", 0, bad.start()) + 1
        problem = f"the control character U+{ord(bad[0]):04X} is not allowed in Python"
        raise TaskError(problem, "Remove it.", cause="parse", line=line)
    if re.match(r"(.*\n)?[ \t]*#.*coding[:=]", source):
        # Python and editors would read the file as another text than the one that is checked.
        raise refuse(1, "the program declares an encoding", "Remove that comment.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an unknown escape in an instruction does no harm
            return syntax_tree(source)
    except SyntaxError as error:
        line = max(error.lineno or 1, 1)
        problem = f"{type(error).__name__}: {error.msg}"
        raise TaskError(problem, "Correct the syntax.", cause="parse", line=line) from error
    except (RecursionError, MemoryError, ValueError) as error:
        # Python's own parser gives up on deep nesting and on integers of over 4,300 digits.
        problem = f"the program cannot be parsed ({type(error).__name__})"
        raise TaskError(problem, "Write a simpler one.", cause="parse", line=1) from error


def _check_depth(tree: ast.Module) -> None:
    """Limit the nesting, without recursion of our own."""
    level: list[tuple[ast.AST, int]] = [(tree, 1)]
    for _ in range(MAX_DEPTH):
        level = [
            (child, getattr(child, "lineno", line))
            for node, line in level
            for child in ast.iter_child_nodes(node)
        ]
        if not level:
            return
    raise refuse(level[0][1], "the code is nested too deeply", "Split it into several lines.")


def _check_identifiers(source: str) -> None:
    """Refuse names such as full-width `open`, which Python would read as plain `open`."""
    if source.isascii():
        return
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError) as error:
        raise TaskError(str(error), "Correct the syntax.", cause="parse", line=1) from error
    for token in tokens:
        if token.type in (tokenize.NAME, tokenize.ERRORTOKEN) and not token.string.isascii():
            problem = f"the name {token.string[:40]!r} holds non-ASCII letters"
            raise refuse(token.start[0], problem, "Write names in a-z, A-Z, 0-9 and _.")


# --- a model's answer -> program --------------------------------------------------------------


def extract(completion: str) -> str:
    """Return the program in a model's answer.

    Args:
        completion: markdown with exactly one fenced block that defines `class X(Task)`, or
            bare code.

    Returns:
        The program, ending in one newline.

    Raises:
        TaskError: cause "parse", saying what was found instead.
    """
    completion = without_reasoning(completion.removeprefix("\ufeff"))
    blocks = _fenced_blocks(completion)
    if not blocks and _defines_task(completion):
        return completion.replace("\r\n", "\n").strip("\n") + "\n"
    found = [block for block in blocks if _defines_task(block)]
    if len(found) == 1:
        return found[0]
    remedy = "Answer with exactly one ```python block that holds the whole program."
    if found:
        problem = f"the answer has {len(found)} code blocks that define a Task"
    elif not blocks:
        problem = "there is neither a class X(Task) nor a Python code block"
    else:
        problem = "no class derived from Task found"
    raise TaskError(problem, remedy, cause="parse", line=1)


def _defines_task(code: str) -> bool:
    return re.search(r"^class[ \t]+\w+[ \t]*\([^)\n]*\bTask\b", code, re.MULTILINE) is not None


def _fenced_blocks(completion: str) -> list[str]:
    """The fenced blocks; models forget to close the last one."""
    blocks: list[str] = []
    lines: list[str] = []
    fence = ""
    for line in completion.replace("\r\n", "\n").split("\n"):
        mark = re.match(r" {0,3}(`{3,}|~{3,})", line)
        if not fence and mark is not None:
            fence, lines = mark[1], []
        elif fence and line.strip() == fence:
            blocks.append("\n".join(lines).strip("\n") + "\n")
            fence = ""
        elif fence:
            lines.append(line)
    if fence:
        blocks.append("\n".join(lines).strip("\n") + "\n")
    return blocks
