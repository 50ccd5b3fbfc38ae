"""Translate one program: record it, derive its goals, write it, and check it by a few draws."""

from __future__ import annotations

from dataclasses import dataclass

from gensim_envs.errors import TaskError
from gensim_envs.generation.check import program_of
from gensim_envs.generation.importing.derive import Derivation, Goal
from gensim_envs.generation.importing.layout import Layout, layout_of
from gensim_envs.generation.importing.write import Writer
from gensim_envs.generation.semantics import check_sentences
from gensim_envs.printing import printable
from gensim_envs.sandbox.client import shared
from gensim_envs.sandbox.legacy import gate
from gensim_envs.sandbox.legacy.recording import Recording
from gensim_envs.sandbox.program import Sandboxed
from gensim_envs.seeds import TUNING

RECORDINGS = 6
"""Recordings of a program that are compared."""
_DRAWS = TUNING[:4]


@dataclass(frozen=True)
class Translation:
    """A program of this suite that was translated.

    Attributes:
        source: its text; its notes are in its docstring.
        program: to draw from.
        notes: what differs from the old program.
    """

    source: str
    program: Sandboxed
    notes: tuple[str, ...]


def record(source: str, *, weak: bool = False) -> list[Recording]:
    """Record a program of the original GenSim on several seeds.

    Args:
        source: the program's text.
        weak: run it also where this machine cannot isolate it.

    Raises:
        TaskError: it was refused, failed or was stopped.
    """
    return [shared().record(source, "train", seed, weak=weak) for seed in range(RECORDINGS)]


def translate(source: str, recordings: list[Recording], *, weak: bool = False) -> Translation:
    """Translate a recorded program.

    Args:
        source: of the old program, which gives name and summary.
        recordings: of `record`.
        weak: as for `record`.

    Raises:
        TaskError: it cannot be translated, and why.
    """
    head = gate.check(source)
    layout = layout_of(recordings)
    goals = Derivation(layout).run()
    summary = printable(" ".join((head.docstring.strip().splitlines() or [""])[0].split()), 200)
    summary = summary.replace("\\", "").replace('"', "'").strip() or f"{head.class_name}."
    return _checked(head.class_name, summary, layout, goals, weak)


def _checked(name: str, summary: str, layout: Layout, goals: list[Goal], weak: bool) -> Translation:
    """Write the program; sentences that contradict their goals are written anew."""
    restated: set[int] = set()
    while True:
        writer = Writer(name, summary, layout, goals, restated)
        source, program = program_of(writer.text(), weak=weak)
        try:
            _try(program)
        except TaskError as error:
            wrong = error.goal is not None and error.goal - 1 not in restated
            said = error.cause == "semantics" or "instruction" in error.problem
            if not (wrong and said):
                raise
            assert error.goal is not None
            restated.add(error.goal - 1)
            continue
        return Translation(source, program, tuple(writer.notes))


def _try(program: Sandboxed) -> None:
    for split in ("train", "test"):
        for seed in _DRAWS:
            check_sentences(program.draw(split, seed).spec)
