"""The library as a memory: what is there, what is near, what is missing.

A memory only grows, so what an attempt may know of it is a `View`: its first entries.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

import gensim_envs
from gensim_envs.errors import TaskError
from gensim_envs.generation.check import Facts, facts
from gensim_envs.generation.embed import Array, Embedder, TfIdf
from gensim_envs.library import Library, LibraryError, digest
from gensim_envs.sandbox.gate import syntax_tree
from gensim_envs.sandbox.program import HandWritten, Sandboxed, module_name
from gensim_envs.seeds import SURVEY
from gensim_envs.task.assets import ASSETS
from gensim_envs.task.goals import RELATIONS
from gensim_envs.utils.naming import words

SAME_PROGRAM = 0.90
"""Likeness from which two programs are taken for the same, whatever their names and numbers."""
MOST_OF_AN_ASSET = 0.35
"""Share of tasks above which a proposal is asked to do without an asset."""
_CACHE = ".facts.json"


@dataclass(frozen=True)
class Entry:
    """A task as it is remembered.

    Attributes:
        name: class name.
        summary: first line of its docstring.
        source: its program.
        facts: what one draw of it shows.
    """

    name: str
    summary: str
    source: str
    facts: Facts

    @property
    def text(self) -> str:
        """What descriptions are compared with."""
        return describe(self.name, self.summary)


def describe(name: str, description: str) -> str:
    """A task in words: "Build Wheel: ring eight blocks around a ball"."""
    return f"{words(name)}: {description}"


@dataclass(frozen=True)
class Near:
    """A task and how near it is, at most 1."""

    entry: Entry
    likeness: float


@dataclass(frozen=True)
class Coverage:
    """What tasks are made of: how many of them have each.

    Attributes:
        tasks: how many there are.
        assets: by class name; every asset of the API is there.
        relations: by name, in the order of the API.
        colors: tasks whose program names a colour; the others draw theirs.
        goals: by number of goals, 1 to 10.
    """

    tasks: int
    assets: dict[str, int]
    relations: dict[str, int]
    colors: dict[str, int]
    goals: dict[int, int]

    def rare_assets(self, count: int = 6) -> list[str]:
        """The least used, rarest first."""
        return sorted(self.assets, key=lambda name: (self.assets[name], name))[:count]

    def worn_assets(self) -> list[str]:
        """Those in more tasks than is good for the library's variety."""
        most = MOST_OF_AN_ASSET * max(self.tasks, 1)
        return [name for name, count in self.assets.items() if count > most]

    def rare_relations(self, count: int = 2) -> list[str]:
        """The least used, rarest first."""
        return sorted(self.relations, key=lambda name: (self.relations[name], name))[:count]

    def rare_goals(self, count: int = 3) -> list[int]:
        """Numbers of goals that fewest tasks have."""
        return sorted(self.goals, key=lambda number: (self.goals[number], number))[:count]


class Memory:
    """Every task known, in the order in which they came.

    Args:
        embedder: says how alike descriptions are.
        entries: what is there at first.
    """

    def __init__(self, embedder: Embedder, entries: Sequence[Entry]) -> None:
        self.embedder = embedder
        self.entries = list(entries)
        self._programs = TfIdf()

    def view(self, count: int | None = None) -> View:
        """The first `count` entries, or all that are here now."""
        return View(self, len(self.entries) if count is None else count)

    def program_likeness(self, source: str, others: Sequence[str]) -> Array:
        """(n,) how alike a program is to others in its structure."""
        likeness: Array = self._programs.likeness([skeleton(source)], list(map(skeleton, others)))[
            0
        ]
        return likeness


class View:
    """The memory as it was at one moment.

    Args:
        memory: whose.
        count: how many entries it had.
    """

    def __init__(self, memory: Memory, count: int) -> None:
        self._memory = memory
        self._count = count

    @property
    def entries(self) -> list[Entry]:
        """What is known."""
        return self._memory.entries[: self._count]

    def nearest(self, name: str, description: str, count: int) -> list[Near]:
        """The tasks whose descriptions are most like one, nearest first."""
        texts = [entry.text for entry in self.entries]
        likeness = self._memory.embedder.likeness([describe(name, description)], texts)[0]
        return self._best(likeness, count)

    def nearest_programs(self, source: str, count: int) -> list[Near]:
        """The tasks whose programs are built most like one, nearest first."""
        likeness = self._memory.program_likeness(source, [entry.source for entry in self.entries])
        return self._best(likeness, count)

    def _best(self, likeness: Array, count: int) -> list[Near]:
        order = np.argsort(-likeness, kind="stable")[:count]
        return [Near(self._memory.entries[k], round(float(likeness[k]), 4)) for k in order]

    def refuse_twin_of_description(self, name: str, description: str) -> None:
        """Turn away a description that is there already.

        Raises:
            TaskError: with cause "novelty", naming the twin.
        """
        for entry in self.entries:
            if entry.name.lower() == name.lower():
                raise _twin(f"there is a task {entry.name} already: {entry.summary!r}")
        for near in self.nearest(name, description, 1):
            if near.likeness >= self._memory.embedder.twins:
                raise _twin(
                    f"it says what {near.entry.name} says (likeness {near.likeness:.2f}): "
                    f"{near.entry.summary!r}"
                )

    def refuse_twin_of_program(self, source: str) -> None:
        """Turn away a program that another has with other names and numbers.

        Raises:
            TaskError: with cause "novelty", naming the twin.
        """
        for near in self.nearest_programs(source, 1):
            if near.likeness >= SAME_PROGRAM:
                raise _twin(
                    f"its program is built like that of {near.entry.name} (likeness "
                    f"{near.likeness:.2f})"
                )

    def sample(self, rng: np.random.Generator, count: int) -> list[Entry]:
        """Some tasks, in random order."""
        entries = self.entries
        return [entries[k] for k in rng.permutation(len(entries))[:count]]

    def coverage(self) -> Coverage:
        """What the tasks are made of."""
        return coverage([entry.facts for entry in self.entries])


def _twin(problem: str) -> TaskError:
    return TaskError(problem, "Propose something else", cause="novelty")


def coverage(all_facts: Sequence[Facts]) -> Coverage:
    """What tasks are made of."""

    def count(values: Iterator[str]) -> Counter[str]:
        return Counter(values)

    assets = count(name for each in all_facts for name in each.assets)
    relations = count(name for each in all_facts for name in each.relations)
    goals = Counter(min(each.goals, 10) for each in all_facts)
    return Coverage(
        len(all_facts),
        {name: assets[name] for name in ASSETS},
        {name: relations[name] for name in RELATIONS},
        dict(sorted(count(name for each in all_facts for name in each.colors).items())),
        {number: goals[number] for number in range(1, 11)},
    )


@functools.lru_cache(maxsize=100_000)
def skeleton(source: str) -> str:
    """What a program does, without its names, numbers and sentences: "for add_count Block ..."."""
    return " ".join(_steps(syntax_tree(source)))


def _steps(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call):
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        keywords = sorted(keyword.arg or "" for keyword in node.keywords)
        yield "_".join([name, *keywords])
    elif isinstance(node, ast.For | ast.comprehension):
        yield "for"
    elif isinstance(node, ast.If | ast.IfExp):
        yield "if"
    for child in ast.iter_child_nodes(node):
        yield from _steps(child)


def recall(library: Library, *, without_run: str = "") -> list[Entry]:
    """Everything that a model may learn from: the suite's own tasks and those of a library.

    Args:
        library: whose tasks.
        without_run: id of a run whose tasks are left out, since it will add them itself.

    Raises:
        LibraryError: where a record or a program is broken.
    """
    records, broken = library.read()
    if broken:
        raise LibraryError(f"{broken[0].problem}. Mend or delete this record first")
    entries = {}
    known = _Known(library)
    for path in sorted((Path(gensim_envs.__file__).parent / "tasks").glob("[a-z]*.py")):
        source = path.read_text(encoding="utf-8")
        name, summary = _head(source)
        program = HandWritten(name, module_name(f"gensim_envs/tasks/{path.name}"))
        entries[name] = Entry(name, summary, source, known.facts(source, program))
    for record in sorted(records, key=lambda record: record.id):
        if record.hand_written or (without_run and library.run_of(record) == without_run):
            continue
        source = library.source(record)
        try:
            found = known.facts(source, Sandboxed(record.name, source))
        except TaskError as error:
            raise LibraryError(f"{record.id}: {error}. Delete it, or gensim regenerate") from error
        entries[record.name] = Entry(record.name, record.summary, source, found)
    known.save()
    return list(entries.values())


def _head(source: str) -> tuple[str, str]:
    """Class name and summary of a task program."""
    task = next(node for node in syntax_tree(source).body if isinstance(node, ast.ClassDef))
    return task.name, (ast.get_docstring(task) or "").split("\n")[0]


class _Known:
    """Facts of programs that have been drawn before, kept beside a library."""

    def __init__(self, library: Library) -> None:
        self._path = library.root / _CACHE
        self._facts: dict[str, Facts] = {}
        self._new = False
        try:
            data = json.loads(self._path.read_text(encoding="utf-8"))
            if data["suite"] == gensim_envs.__version__:
                self._facts = {key: Facts.from_json(value) for key, value in data["facts"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass  # it is only there to save time

    def facts(self, source: str, program: HandWritten | Sandboxed) -> Facts:
        key = digest(source)
        if key not in self._facts:
            self._facts[key] = facts(source, program.draw("train", SURVEY.start).spec)
            self._new = True
        return self._facts[key]

    def save(self) -> None:
        if self._new and self._path.parent.is_dir():
            data = {
                "suite": gensim_envs.__version__,
                "facts": {key: asdict(value) for key, value in self._facts.items()},
            }
            with contextlib.suppress(OSError):  # one that cannot be written is drawn anew
                self._path.write_text(json.dumps(data), encoding="utf-8")
