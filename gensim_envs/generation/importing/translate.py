"""Translate one program: record it, derive its goals, write it, and check it by a few draws."""

from __future__ import annotations

from dataclasses import dataclass

from gensim_envs.errors import TaskError
from gensim_envs.generation.check import program_of
from gensim_envs.generation.importing.colors import Recolor
from gensim_envs.generation.importing.derive import Derivation, arranged
from gensim_envs.generation.importing.layout import layout_of
from gensim_envs.generation.importing.write import Writer
from gensim_envs.generation.semantics import check_sentences
from gensim_envs.printing import printable
from gensim_envs.sandbox.client import shared
from gensim_envs.sandbox.legacy import gate
from gensim_envs.sandbox.legacy.recording import Recording
from gensim_envs.sandbox.program import Sandboxed
from gensim_envs.seeds import TUNING
from gensim_envs.task.drawing import Draw

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

    @property
    def trial(self) -> Unseen:
        """To draw from where it may break the rules of visibility."""
        return Unseen(self.program.name, self.source, self.program.weak)


class Unseen(Sandboxed):
    """A translation whose draws are not checked for visibility.

    The original GenSim had no such rules, so a program can be translated and solved that cannot be
    published. Publishing draws again, with all checks.
    """

    def draw(self, split: str, seed: int) -> Draw:
        return shared().draw_unseen(self.source, split, seed, weak=self.weak)


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
    restated = Recolor(layout, goals).run() | arranged(goals)
    summary = printable(" ".join((head.docstring.strip().splitlines() or [""])[0].split()), 200)
    summary = summary.replace("\\", "").replace('"', "'").strip() or f"{head.class_name}."
    while True:  # sentences that contradict their goals are written anew
        writer = Writer(head.class_name, summary, layout, goals, restated)
        source, program = program_of(writer.text(), weak=weak)
        made = Translation(source, program, tuple(writer.notes))
        try:
            _try(made.trial)
        except TaskError as error:
            said = error.cause == "semantics" or "instruction" in error.problem
            if error.goal is None or error.goal - 1 in restated or not said:
                raise
            restated.add(error.goal - 1)
        else:
            return made


def _try(program: Unseen) -> None:
    for split in ("train", "test"):
        for seed in _DRAWS:
            check_sentences(program.draw(split, seed).spec)
