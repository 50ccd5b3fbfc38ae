"""Index of the known tasks: their similarity, and what is rare among them."""

from __future__ import annotations

import ast
import contextlib
import functools
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from platformdirs import user_cache_path

import gensim_envs
from gensim_envs import trust
from gensim_envs.errors import FileError, LibraryError, TaskError
from gensim_envs.generation.check import Facts, Survey, facts, refusing
from gensim_envs.generation.embed import Array, Embedder, TfIdf
from gensim_envs.library import Library, digest
from gensim_envs.sandbox.gate import check as gate
from gensim_envs.sandbox.gate import syntax_tree
from gensim_envs.sandbox.program import HandWritten, Program, Sandboxed
from gensim_envs.seeds import SURVEY
from gensim_envs.task.assets import ASSETS
from gensim_envs.task.goals import RELATIONS
from gensim_envs.utils import files
from gensim_envs.utils.decode import read
from gensim_envs.utils.naming import words

SAME_PROGRAM = 0.90
"""Similarity from which two programs count as the same, whatever their names and numbers."""
MOST_OF_AN_ASSET = 0.35
"""Share of tasks above which a proposal is asked to avoid an asset."""


@dataclass(frozen=True)
class Entry:
    """A known task.

    Attributes:
        name: class name.
        summary: first line of its docstring.
        source: its program.
        facts: facts of its first draw.
    """

    name: str
    summary: str
    source: str
    facts: Facts

    @property
    def text(self) -> str:
        """The text that is compared with other descriptions."""
        return describe(self.name, self.summary)


def entry_of(source: str, survey: Survey) -> Entry:
    """The entry of a program that has been surveyed."""
    return Entry(survey.name, survey.summary, source, facts(source, survey.first))


def describe(name: str, description: str) -> str:
    """A task in words: "Build Wheel: ring eight blocks around a ball"."""
    return f"{words(name)}: {description}"


@dataclass(frozen=True)
class Coverage:
    """Numbers of tasks with each asset, relation, colour and number of goals.

    Attributes:
        tasks: number of tasks.
        assets: counts by class name, for every asset of the API.
        relations: counts by name, in the order of the API.
        colors: tasks whose program names a colour; the others draw theirs.
        goals: counts by number of goals, 1 to 10.
    """

    tasks: int
    assets: dict[str, int]
    relations: dict[str, int]
    colors: dict[str, int]
    goals: dict[int, int]

    def rarest(self, kind: Literal["assets", "relations", "goals"], count: int) -> list[str | int]:
        """The least used assets, relations or numbers of goals, rarest first."""
        counts: dict[str | int, int] = getattr(self, kind)
        return sorted(counts, key=lambda name: (counts[name], name))[:count]

    def overused_assets(self) -> list[str]:
        """Those in more than `MOST_OF_AN_ASSET` of the tasks."""
        most = MOST_OF_AN_ASSET * max(self.tasks, 1)
        return [name for name, count in self.assets.items() if count > most]


@dataclass(frozen=True)
class Memory:
    """The tasks that were known at one moment.

    Attributes:
        embedder: compares descriptions.
        entries: the tasks, in the order in which they were added.
    """

    embedder: Embedder
    entries: Sequence[Entry]

    def nearest(self, name: str, description: str, count: int) -> list[tuple[Entry, float]]:
        """The tasks with the most similar descriptions and their similarity, nearest first."""
        texts = [entry.text for entry in self.entries]
        return self._best(self.embedder.likeness([describe(name, description)], texts), count)

    def nearest_program(self, source: str) -> list[tuple[Entry, float]]:
        """The task with the most similar program structure and its similarity; [] without tasks."""
        known = [skeleton(entry.source) for entry in self.entries]
        return self._best(TfIdf().likeness([skeleton(source)], known), 1)

    def _best(self, likeness: Array, count: int) -> list[tuple[Entry, float]]:
        order = np.argsort(-likeness[0], kind="stable")[:count]
        return [(self.entries[k], round(float(likeness[0, k]), 4)) for k in order]

    def refuse_known_description(self, name: str, description: str) -> None:
        """Refuse a name that is taken, or a description close to a known one.

        Raises:
            TaskError: with cause "novelty", if there is one; the message names it.
        """
        for entry in self.entries:
            if entry.name.lower() == name.lower():
                raise _known(f"the library already has a task {entry.name}: {entry.summary!r}")
        for near, likeness in self.nearest(name, description, 1):
            if likeness >= self.embedder.duplicate:
                raise _known(
                    f"its description is too similar to that of {near.name} "
                    f"(similarity {likeness:.2f}): {near.summary!r}"
                )

    def refuse_known_program(self, source: str) -> None:
        """Refuse a program that repeats a known one with other names and numbers.

        Raises:
            TaskError: with cause "novelty", if there is one; the message names it.
        """
        for near, likeness in self.nearest_program(source):
            if likeness >= SAME_PROGRAM:
                raise _known(
                    f"its program has the structure of {near.name} (similarity {likeness:.2f})"
                )

    def sample(self, rng: np.random.Generator, count: int) -> list[Entry]:
        """Some tasks, in random order."""
        return [self.entries[k] for k in rng.permutation(len(self.entries))[:count]]

    def coverage(self) -> Coverage:
        """Counts of the assets, relations, colours and numbers of goals of the tasks."""
        return coverage([entry.facts for entry in self.entries])


def _known(problem: str) -> TaskError:
    return TaskError(problem, "Propose something else", cause="novelty")


def coverage(all_facts: Sequence[Facts]) -> Coverage:
    """Count the assets, relations, colours and numbers of goals of tasks."""
    assets = Counter(name for facts in all_facts for name in facts.assets)
    relations = Counter(name for facts in all_facts for name in facts.relations)
    colors = Counter(name for facts in all_facts for name in facts.colors)
    goals = Counter(min(facts.goals, 10) for facts in all_facts)
    return Coverage(
        len(all_facts),
        {name: assets[name] for name in ASSETS},
        {name: relations[name] for name in RELATIONS},
        dict(sorted(colors.items())),
        {number: goals[number] for number in range(1, 11)},
    )


@functools.lru_cache(maxsize=100_000)
def skeleton(source: str) -> str:
    """The calls of a program without names, numbers and text: "for add_count Block ..."."""
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


def recall(library: Library, *, without_run: str = "", weak: bool = False) -> list[Entry]:
    """Read the suite's own tasks and those of a library.

    Args:
        library: whose tasks.
        without_run: id of a run whose tasks are left out.
        weak: run programs also where this machine cannot isolate them.

    Raises:
        LibraryError: if a record or a program is broken.
    """
    records, broken = library.read()
    if broken:
        raise LibraryError(f"{broken[0].problem}. Repair or delete this record first")
    entries = {}
    weak = weak or trust.is_weak(library.root)
    with _cached_facts() as facts_of:
        for path in sorted((Path(gensim_envs.__file__).parent / "tasks").glob("[a-z]*.py")):
            source = path.read_text(encoding="utf-8")
            head = gate(source)
            program = HandWritten(head.class_name, f"gensim_envs/tasks/{path.name}")
            summary = head.docstring.split("\n")[0]
            entries[program.name] = Entry(program.name, summary, source, facts_of(source, program))
        for record in sorted(records, key=lambda record: record.id):
            if record.hand_written or (without_run and library.run_of(record) == without_run):
                continue
            source = library.source(record)
            try:
                with refusing("spec"):
                    found = facts_of(source, Sandboxed(record.name, source, weak))
            except TaskError as error:
                raise LibraryError(
                    f"{record.id}: {error}. Remove the task, or run gensim regenerate"
                ) from error
            entries[record.name] = Entry(record.name, record.summary, source, found)
    return list(entries.values())


@contextlib.contextmanager
def _cached_facts() -> Iterator[Callable[[str, Program], Facts]]:
    """A function that gives the facts of a program; draws are kept in the user's cache."""
    path = user_cache_path("gensim-envs") / f"facts-{gensim_envs.__version__}.json"
    known: dict[str, Facts] = {}
    with contextlib.suppress(FileError):
        known = read(path, dict[str, Facts])
    before = len(known)

    def facts_of(source: str, program: Program) -> Facts:
        key = digest(source)
        if key not in known:
            known[key] = facts(source, program.draw("train", SURVEY.start).spec)
        return known[key]

    yield facts_of
    if len(known) > before:
        with contextlib.suppress(FileError):
            data = {key: asdict(value) for key, value in known.items()}
            files.write(path, json.dumps(data).encode())
