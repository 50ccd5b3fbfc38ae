"""The rules of the gate: what each part of a program's syntax tree may be.

Anything that is not listed here is refused, so a new Python version cannot add a hole.
"""

from __future__ import annotations

import ast
import itertools

from gensim_envs.errors import TaskError
from gensim_envs.sandbox.rules.names import name_offences
from gensim_envs.sandbox.rules.nodes import node_offences
from gensim_envs.sandbox.rules.structure import module_offences


def first_offence(tree: ast.Module) -> TaskError | None:
    """Return what is wrong with a program; of several offences, that in the earliest line.

    Args:
        tree: not deep, since nested tuples and annotations are walked by recursion.
    """
    rules = (module_offences(tree), node_offences(tree), name_offences(tree))
    # Few of each, which come in roughly the order of their lines: searching for what was meant
    # takes a millisecond a name, and a hostile program may hold thousands.
    found = [offence for rule in rules for offence in itertools.islice(rule, 20)]
    return min(found, key=lambda offence: offence.line or 1, default=None)
